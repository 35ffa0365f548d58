package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/honeydue/backend/shared/bucket"
)

// sweepUploads ends what was never attached and then removes the objects that nothing refers to any more, known ones first.
// Every step goes on where the last tick ended, and may be cut off anywhere, also by another tick at the same time. One that
// fails holds up none but those that need the bucket as well; a time that was too short is no error, since the next tick goes on.
func (s *service) sweepUploads(ctx context.Context) error {
	expired, expireErr := s.expireUploads(ctx)
	forgotten, forgetErr := s.forgetUploads(ctx)
	removed, bucketErr := s.drainTombstones(ctx)
	orphans := 0
	if bucketErr == nil {
		orphans, bucketErr = s.removeOrphans(ctx)
	}
	if ctx.Err() != nil {
		expireErr, forgetErr, bucketErr = nil, nil, nil
	}
	s.log.InfoContext(ctx, "uploads swept", "expired", expired, "forgotten", forgotten, "removed", removed, "orphans", orphans)
	return errors.Join(expireErr, forgetErr, advise(bucketErr))
}

// advise says what somebody can do when the bucket is what is wrong.
func advise(err error) error {
	if bucket.Unavailable(err) {
		return fmt.Errorf("%w: nothing is lost, the next tick goes on; if it lasts, look at S3_ENDPOINT and at the provider's status", err)
	}
	if errors.Is(err, errRefused) {
		return fmt.Errorf("%w: %s, see S3_ACCESS_KEY; then the next tick goes on", err, unlock)
	}
	return err
}

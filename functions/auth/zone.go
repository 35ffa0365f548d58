package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/problem"
)

// checkZone refuses a time zone that is given and has no IANA name.
func checkZone(name *string) error {
	if name == nil {
		return nil
	}
	if _, err := authn.Zone(*name); err != nil {
		return problem.Invalid("body.time_zone", "expected an IANA time zone such as Europe/Berlin")
	}
	return nil
}

// changingZone runs change on a person's account. When it changes their zone, looked-up tokens are forgotten before and after: they
// remember the zone, and with it what today is.
func (s *service) changingZone(ctx context.Context, person int64, changes bool, change func() error) error {
	if !changes {
		return change()
	}
	hashes, err := s.tokensOf(ctx, person)
	if err != nil {
		return err
	}
	s.Cache.Revoke(ctx, hashes...)
	defer s.Cache.Revoke(ctx, hashes...)
	return change()
}

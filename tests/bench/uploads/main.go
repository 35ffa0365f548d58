// Command uploads measures what photos cost the functions: how many signed addresses function uploads gives out with one core, and
// how long a completion takes that a photo is attached to. PostgreSQL, Redis and a real S3 server are on the same machine. It
// prints tables, with the target beside each figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

func main() { report.Main("uploads", bench) }

func bench(ctx context.Context, out io.Writer) (met bool, err error) {
	s, err := setStage(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	presign, err := benchPresign(ctx, out, s)
	if err != nil {
		return false, err
	}
	attach, err := benchAttach(ctx, out, s)
	return presign && attach, err
}

// percentile returns the duration that so many of 100 do not exceed, and sorts.
func percentile(times []time.Duration, of100 int) time.Duration {
	slices.Sort(times)
	return times[len(times)*of100/100]
}

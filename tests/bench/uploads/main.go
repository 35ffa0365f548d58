// Command uploads measures what photos cost the functions: how many signed addresses function uploads gives out with one core, and
// how long a completion takes that a photo is attached to. PostgreSQL, Redis and a real S3 server are on the same machine. It
// prints tables, with the target beside each figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/honeydue/backend/tests/bench/built"
	"github.com/honeydue/backend/tests/bench/report"
)

func main() { report.Main("uploads", bench) }

func bench(ctx context.Context, out io.Writer) (met bool, err error) {
	dir, err := os.MkdirTemp("", "honeydue-uploads-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return false, fmt.Errorf("open folder: %w", err)
	}
	if err := built.Functions(ctx, dir, "migrate", "uploads", "tasks"); err != nil {
		return false, err
	}
	w, err := makeWorld(ctx, dir)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	presign, err := benchPresign(ctx, out, w)
	if err != nil {
		return false, err
	}
	attach, err := benchAttach(ctx, out, w)
	return presign && attach, err
}

// percentile returns the duration that so many of 100 do not exceed, and sorts.
func percentile(times []time.Duration, of100 int) time.Duration {
	slices.Sort(times)
	return times[len(times)*of100/100]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

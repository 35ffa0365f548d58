// Command sweep measures how the sweeper removes 10,000 expired uploads from PostgreSQL and a real S3 server: the time, the most
// memory that its process ever held, and what is left after it was killed 20 times. It prints a table, with the target beside
// each figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/bench/built"
	"github.com/honeydue/backend/tests/bench/report"
)

// Targets of one sweep.
const (
	maxTime   = 60 * time.Second
	maxMemory = 64 << 20
)

const (
	uploads  = 10_000
	attached = 200 // others, which must stay
	kills    = 20
)

func main() { report.Main("sweep", bench) }

func bench(ctx context.Context, out io.Writer) (met bool, err error) {
	dir, err := os.MkdirTemp("", "honeydue-sweep-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return false, fmt.Errorf("open folder: %w", err)
	}
	if err := built.Functions(ctx, dir, "migrate", "sweeper"); err != nil {
		return false, err
	}
	postgres, err := devserver.StartPostgres(ctx, devserver.Options{Dir: dir, Durable: true})
	if err != nil {
		return false, fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, postgres.Stop(context.WithoutCancel(ctx))) }()
	s3, err := devserver.StartS3(ctx, devserver.Options{Dir: dir})
	if err != nil {
		return false, fmt.Errorf("start S3: %w", err)
	}
	defer func() { err = errors.Join(err, s3.Stop(context.WithoutCancel(ctx))) }()

	_, _ = fmt.Fprintf(out, "Sweep of %d expired uploads with their objects, beside %d attached photos, on versitygw; a killed sweep goes on in the next\n\n", uploads, attached)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "sweep\tticks\ttime\ttarget\tpeak memory\ttarget\tleft over\tlost\t\t")
	met = true
	for _, row := range []struct {
		name  string
		kills int
	}{{"undisturbed", 0}, {fmt.Sprintf("after %d kills", kills), kills}} {
		w, err := makeWorld(ctx, dir, postgres, s3, fmt.Sprintf("sweep%d", row.kills))
		if err != nil {
			return false, err
		}
		r, err := w.measure(ctx, row.kills)
		w.close()
		if err != nil {
			return false, fmt.Errorf("%s: %w", row.name, err)
		}
		ok := r.took <= maxTime && r.memory <= maxMemory && r.left == 0 && r.lost == 0
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%d\t%.1f s\t%.0f s\t%.1f MiB\t%d MiB\t%d\t%d\t%s\t\n", row.name, r.ticks, r.took.Seconds(), maxTime.Seconds(),
			float64(r.memory)/(1<<20), maxMemory>>20, r.left, r.lost, report.Verdict(ok))
	}
	return met, table.Flush()
}

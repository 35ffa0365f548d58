// Command admin measures the operators' panel among 100,000 people with 1,000,000 tasks: how long the function takes for the pages of its
// lists, the first, one in the middle and one near the end, whatever is looked for, and for the page of one thing; and how long they are.
// It prints a table, with the target beside each figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// Targets of every page.
const (
	maxMedian = 50 * time.Millisecond
	maxBytes  = 60 << 10
)

// reads of each page, one after the other.
const reads = 40

func main() { report.Main("admin", bench) }

func bench(ctx context.Context, out io.Writer) (met bool, err error) {
	w, cookie, err := openCrowd(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	p, err := w.Start(ctx, "admin", "LOG_LEVEL=warn", "ADMIN_KEY="+strings.Repeat("01", 32))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	read := reader{p.URL, cookie}

	_, _ = fmt.Fprintf(out, "Pages of the panel among %d people, as many homes and %d tasks; %d reads of each, one after the other\n\n", people, tasks, reads)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "list\tpage\tp50\ttarget\tp95\tsize\ttarget\t")
	met = true
	for _, page := range pages() {
		r, err := read.measure(ctx, page.path())
		if err != nil {
			return false, fmt.Errorf("%s: %w", page.path(), err)
		}
		ok := r.p50 <= maxMedian && r.bytes <= maxBytes
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.1f KiB\t%d KiB\t%s\n", page.list, page.name, report.MS(r.p50), report.MS(maxMedian), report.MS(r.p95),
			float64(r.bytes)/1024, maxBytes>>10, report.Verdict(ok))
	}
	return met, table.Flush()
}

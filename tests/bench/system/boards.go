package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/story"

	"github.com/honeydue/backend/tests/bench/report"
)

// degradedBoard is how long 99 of 100 boards may take at most while Redis is away.
const degradedBoard = 250 * time.Millisecond

// benchBoards prints how long a board of 100 tasks takes from the cache, and while Redis is stopped or hangs.
func benchBoards(ctx context.Context, out io.Writer, s *local.System) (met bool, err error) {
	const tasks, reads = 100, 300
	p, err := story.Register(ctx, story.NewPhone(s.URL), "Bella")
	if err != nil {
		return false, fmt.Errorf("register: %w", err)
	}
	home, err := story.Share(ctx, p)
	if err != nil {
		return false, err
	}
	for i := range tasks {
		body := map[string]any{"residence_id": home, "title": fmt.Sprintf("Task %d", i), "due_date": story.Day(32)}
		if err := p.Create(ctx, "/api/tasks/", http.StatusCreated, body, nil); err != nil {
			return false, err
		}
	}
	_, _ = fmt.Fprintf(out, "\nA board of %d tasks, %d reads one after the other, through the local gateway\n\n", tasks, reads)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "redis\tp50\tp99\ttarget p99\t\t")
	met = true
	for _, state := range []struct {
		name       string
		begin, end func() error
	}{
		{"there", func() error { return nil }, func() error { return nil }},
		{"stopped", func() error { return s.Redis.Stop(ctx) }, func() error { return s.Redis.Start(ctx) }},
		{"hanging", func() error { s.Redis.Pause(); return nil }, func() error { s.Redis.Resume(); return nil }},
	} {
		if err := state.begin(); err != nil {
			return false, fmt.Errorf("redis %s: %w", state.name, err)
		}
		times := make([]time.Duration, reads)
		for i := range times {
			began := time.Now()
			answer, err := p.Call(ctx, http.MethodGet, "/api/tasks/", nil, "")
			times[i] = time.Since(began)
			if err != nil || answer.Status != http.StatusOK {
				return false, fmt.Errorf("board with redis %s: answered %d: %w", state.name, answer.Status, err)
			}
		}
		if err := state.end(); err != nil {
			return false, fmt.Errorf("redis %s: %w", state.name, err)
		}
		slices.Sort(times)
		p50, p99 := times[reads/2], times[reads*99/100]
		ok := p99 <= degradedBoard
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t\n", state.name, report.MS(p50), report.MS(p99), report.MS(degradedBoard), report.Verdict(ok))
	}
	return met, table.Flush()
}

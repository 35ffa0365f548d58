package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/story"
)

const (
	writers     = 4
	writesEach  = 150
	rhythmDaily = 2 // of the frequencies
)

// benchWrites prints how many tasks a second several people create and then complete, each in a home of their own and one
// call after the other. It has no target: each write waits for the disk.
func benchWrites(ctx context.Context, out io.Writer, s *local.System) error {
	people, homes, tasks := make([]*story.Person, writers), make([]int64, writers), make([]int64, writers)
	for i := range people {
		var err error
		if people[i], err = story.Register(ctx, story.NewPhone(s.URL), "Wanda"); err != nil {
			return fmt.Errorf("register: %w", err)
		}
		if homes[i], err = story.Share(ctx, people[i]); err != nil {
			return err
		}
	}
	create := func(ctx context.Context, i int) error {
		var made struct{ ID int64 }
		body := map[string]any{"residence_id": homes[i], "title": "Water the plants", "due_date": story.Day(0), "frequency_id": rhythmDaily}
		err := people[i].Create(ctx, "/api/tasks/", http.StatusCreated, body, &made)
		tasks[i] = made.ID
		return err
	}
	complete := func(ctx context.Context, i int) error {
		return people[i].Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": tasks[i]}, nil)
	}
	_, _ = fmt.Fprintf(out, "\n%d people write at the same time, %d calls each, one after the other, with an Idempotency-Key\n\n", writers, writesEach)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "call\ta second\tp50\tp99\t")
	for _, row := range []struct {
		name string
		call func(ctx context.Context, i int) error
	}{{"create task", create}, {"complete task", complete}} {
		times, took, err := load(ctx, row.call)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		_, _ = fmt.Fprintf(table, "%s\t%.0f\t%s\t%s\t\n", row.name, float64(len(times))/took.Seconds(), report.MS(times[len(times)/2]), report.MS(times[len(times)*99/100]))
	}
	return table.Flush()
}

// load has every writer make a call again and again, and returns how long each took, sorted, and how long all did.
func load(ctx context.Context, call func(ctx context.Context, i int) error) ([]time.Duration, time.Duration, error) {
	times, errs := make([][]time.Duration, writers), make([]error, writers)
	var all sync.WaitGroup
	began := time.Now()
	for i := range writers {
		all.Go(func() {
			for n := 0; n < writesEach && errs[i] == nil; n++ {
				sent := time.Now()
				errs[i] = call(ctx, i)
				times[i] = append(times[i], time.Since(sent))
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	sorted := slices.Concat(times...)
	slices.Sort(sorted)
	return sorted, took, errors.Join(errs...)
}

// Command growth measures how what people wait for, and what functions hold in memory, grows with what there is: tasks of other people,
// people, the tasks of one's own board, events that nobody has confirmed. It prints a table of each, with the slope of every figure
// and the target where there is one, and ends with 1 when one is missed.
//
//	go run ./tests/bench/growth                  # up to 10,000,000 tasks, for which the disk needs 10 GB
//	go run ./tests/bench/growth -most 100000     # nothing larger
//	go run ./tests/bench/growth -only boards     # one table
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/bench/world"
)

func main() {
	most := flag.Int("most", 10_000_000, "the largest size of anything that grows")
	only := flag.String("only", "", "one table: boards, people, events or tasks")
	flag.Parse()
	report.Main("growth", func(ctx context.Context, out io.Writer) (bool, error) { return bench(ctx, out, *most, *only) })
}

// A part measures in a world of its own, at sizes that are no larger than most, and says what it found in a table.
type part struct {
	name      string
	functions []string
	title     string
	grows     string
	sizes     []int
	measure   func(ctx context.Context, s *stage, t *table, sizes []int) error
	method    string
}

func parts() []part {
	return []part{
		{"boards", []string{"tasks"}, "Boards", "tasks on it", []int{10, 100, 500, 1_000, 5_000}, measureBoards, boardsMethod},
		{"people", []string{"auth", "residences", "tasks"}, "Calls among people", "people", []int{10, 1_000, 100_000}, measurePeople, peopleMethod},
		{"events", []string{"tasks", "sweeper"}, "Events on their way", "undelivered", []int{1, 100, 10_000, 100_000}, measureEvents, eventsMethod},
		{"tasks", []string{"tasks"}, "Calls among tasks of others", "tasks of others", []int{1_000, 100_000, 1_000_000, 10_000_000}, measureTasks, tasksMethod},
	}
}

func bench(ctx context.Context, out io.Writer, most int, only string) (met bool, err error) {
	_, _ = fmt.Fprintf(out, "One client asks one thing after the other, %d times behind %d that do not count; the function alone, its PostgreSQL (durable), Redis, the\n"+
		"client and the broker's stub share the machine. Times is a p50 beside that of the first size. The slope is the power of the size by\n"+
		"which a figure grows, by least squares over the logarithms: 0 is not at all, 1 is in proportion. Memory is the most that a process\n"+
		"held, which begins anew at each size.\n", calls, warmUps)
	met, known := true, only == ""
	for _, p := range parts() {
		if only != "" && only != p.name {
			continue
		}
		known = true
		ok, err := p.run(ctx, out, most)
		if err != nil {
			return false, fmt.Errorf("%s: %w", p.name, err)
		}
		met = met && ok
	}
	if !known {
		return false, fmt.Errorf("there is no table %q", only)
	}
	return met, nil
}

func (p part) run(ctx context.Context, out io.Writer, most int) (met bool, err error) {
	var sizes []int
	for _, n := range p.sizes {
		if n <= most {
			sizes = append(sizes, n)
		}
	}
	w, err := world.Open(ctx, p.functions...)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	t := &table{title: p.title, grows: p.grows}
	if err := p.measure(ctx, &stage{w}, t, sizes); err != nil {
		return false, err
	}
	met, err = t.print(out)
	_, _ = fmt.Fprintf(out, "\n%s\n", p.method)
	return met, err
}

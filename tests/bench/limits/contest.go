package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/bench/turns"
	"github.com/honeydue/backend/tests/bench/world"
)

// A side does what it can for that long.
type side struct {
	name string
	run  func(ctx context.Context, d time.Duration) (run, error)
}

// taking is a side's turn, and where its run is kept.
type taking struct {
	side

	into *[]run
}

// A starter starts a function, with further variables.
type starter func(ctx context.Context, function string, further ...string) (*world.Process, error)

// A contest is something that a function does, beside the least that could do it.
type contest struct {
	short, what string // what it is called, and all that there is to say of it
	ours        string // the name of the function's side
	start       func(ctx context.Context, start starter) (*world.Process, error)
	turn        func(ctx context.Context, p *world.Process, d time.Duration) (run, error)
	limit       side
	answer      *side   // the limit to where the function answers, if it does something behind that
	least       float64 // of the limit's rate
	wanted      float64 // of it, which is no target; 0 is no wish
	slowest     float64 // times the p99 at most of the limit, or of answer; 0 is no target
}

// An outcome is a contest's rounds, the same number of either side.
type outcome struct {
	contest

	ours, limit []run
	answer      []run
	late        int // times that the function did without Redis
}

// late is what a function's log says when Redis took longer than it may. For a second it is not asked then.
const late = "redis did not answer"

// hold lets the sides take turns, so that a machine in another mood is so for both. The function's process is p.
func (b *bench) hold(ctx context.Context, c contest, p *world.Process) (o outcome, err error) {
	o.contest = c
	ours := side{c.ours, func(ctx context.Context, d time.Duration) (run, error) { return c.turn(ctx, p, d) }}
	for range b.rounds {
		sides := []taking{{ours, &o.ours}, {c.limit, &o.limit}}
		if c.answer != nil {
			sides = append(sides, taking{*c.answer, &o.answer})
		}
		for _, side := range sides {
			r, err := side.run(ctx, b.each)
			if err != nil {
				return o, fmt.Errorf("%s: %s: %w", c.short, side.name, err)
			}
			*side.into = append(*side.into, r)
		}
	}
	o.late, err = p.Said(late)
	return o, err
}

// missed returns whether a target is missed.
func (o outcome) missed() bool {
	return o.ratio(rate).Median < o.least || o.slowest > 0 && o.slow().Median > o.slowest
}

// ratio compares a figure of ours to that of the limit in the same round.
func (o outcome) ratio(figure func(run) float64) turns.Ratio {
	return turns.Compare(o.ours, o.limit, figure)
}

// slow compares the 99th percentiles, of what answers on either side.
func (o outcome) slow() turns.Ratio {
	if o.answer != nil {
		return turns.Compare(o.ours, o.answer, p99)
	}
	return o.ratio(p99)
}

func rate(r run) float64 { return r.Rate() }

func p99(r run) float64 { return r.Percentile(99) }

// print writes both sides' figures, medians of the rounds. One that missed a target has a turn more, for a profile of the function.
func (b *bench) print(ctx context.Context, out io.Writer, o outcome) error {
	_, _ = fmt.Fprintf(out, "\n%s\n\n", o.what)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "side\ta second\tp50\tp99\tCPU of each: program\tPostgreSQL\tRedis\tclient\t")
	type row struct {
		name string
		runs []run
	}
	rows := []row{{o.contest.ours, o.ours}, {o.contest.limit.name, o.limit}}
	if o.answer != nil {
		rows = append(rows, row{o.contest.answer.name, o.answer})
	}
	for _, s := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%.0f", s.name, turns.Median(s.runs, rate))
		for _, of100 := range []int{50, 99} {
			_, _ = fmt.Fprintf(table, "\t%.1f ms", turns.Median(s.runs, func(r run) float64 { return r.Percentile(of100) }))
		}
		for _, part := range []func(usage) time.Duration{
			func(u usage) time.Duration { return u.program }, func(u usage) time.Duration { return u.postgres },
			func(u usage) time.Duration { return u.redis }, func(u usage) time.Duration { return u.client },
		} {
			_, _ = fmt.Fprintf(table, "\t%.0f µs", turns.Median(s.runs, func(r run) float64 { return part(r.usage).Seconds() * 1e6 / float64(r.Done()) }))
		}
		_, _ = fmt.Fprintln(table, "\t")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if o.late > 0 {
		_, _ = fmt.Fprintf(out, "\n%d times Redis took longer than it may, and the function did without it for a second.\n", o.late)
	}
	if !o.missed() {
		return nil
	}
	why, err := b.why(ctx, o.contest)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nA target is missed. What %s does all that time:\n\n%s\n", o.contest.ours, why)
	return err
}

// verdicts prints how far from the limits everything is, and returns whether all targets are met.
func verdicts(out io.Writer, all []outcome) (met bool, err error) {
	_, _ = fmt.Fprint(out, "\nBeside the limits: ours divided by the limit's of the same round, median (least–greatest)\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "what\tbeside\tratio\ttarget\t")
	met = true
	for _, o := range all {
		share := o.ratio(rate)
		goals := []report.Goal{{What: o.short + ", a second", Measured: share.String(), Target: o.target(), Met: share.Median >= o.least}}
		if o.slowest > 0 {
			slow := o.slow()
			goals = append(goals, report.Goal{
				What: o.short + ", p99", Measured: slow.String(), Target: fmt.Sprintf("at most %.1f", o.slowest), Met: slow.Median <= o.slowest,
			})
		}
		for _, g := range goals {
			g.Beside = o.contest.limit.name
			verdict, err := report.Reached(g)
			if err != nil {
				return false, err
			}
			met = met && g.Met
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", g.What, g.Beside, g.Measured, g.Target, verdict)
		}
	}
	return met, table.Flush()
}

// target is what a table says of the rate.
func (c contest) target() string {
	if c.wanted == 0 {
		return fmt.Sprintf("at least %.2f", c.least)
	}
	return fmt.Sprintf("at least %.2f, wanted %.2f", c.least, c.wanted)
}

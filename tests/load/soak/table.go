package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// A window is a part of the soak.
type window struct{ from, to time.Duration }

// windows are the first minutes, without the very first while caches and pools fill, and as many of the last: five of half an hour.
func windows(lasting time.Duration) (first, last window) {
	const longest = 5 * time.Minute
	filling := min(time.Minute, lasting/6)
	length := min(longest, (lasting-filling)/2)
	return window{filling, filling + length}, window{lasting - length, lasting}
}

// median is that of all samples of something within w, and whether there are enough: half as many as were to be taken.
func median(samples []sample, what, of string, w window) (float64, bool) {
	var all []float64
	for _, s := range samples {
		if s.what == what && s.of == of && s.after >= w.from && s.after <= w.to {
			all = append(all, s.n)
		}
	}
	if len(all) == 0 || len(all) < int((w.to-w.from)/apart)/2 {
		return 0, false
	}
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2, true
}

// A change is from the first minutes to the last.
type change struct{ first, last float64 }

func (c change) String() string { return fmt.Sprintf("%.1f %.1f", c.first, c.last) }

// compare prints what was held in the first and in the last minutes, and returns whether it was the same, by each function and by all.
func compare(out io.Writer, o options, samples []sample) (flat bool, err error) {
	first, last := windows(o.duration)
	_, _ = fmt.Fprintf(out, "\nMedians of minutes %.1f to %.1f, and of the last %.1f\n\n", first.from.Minutes(), first.to.Minutes(), (last.to - last.from).Minutes())
	counted := []string{memory, goroutines, files, threads, clients, connections}
	sums, grown, few := map[string]change{}, []string{}, 0
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(table, "function\t")
	for _, what := range counted {
		_, _ = fmt.Fprint(table, what, "\t")
	}
	_, _ = fmt.Fprintln(table)
	for _, name := range functions() {
		_, _ = fmt.Fprint(table, name, "\t")
		for _, what := range counted {
			c, ok := changeOf(samples, what, name, first, last)
			if !ok {
				few++
				_, _ = fmt.Fprint(table, "-\t")
				continue
			}
			if what != memory && !c.isFlat(what) { // which depends on how old its process is: see tellLives
				grown = append(grown, fmt.Sprintf("%s of %s", what, name))
			}
			sums[what] = change{sums[what].first + c.first, sums[what].last + c.last}
			_, _ = fmt.Fprint(table, c, "\t")
		}
		_, _ = fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	if c, ok := changeOf(samples, cached, "all", first, last); ok {
		sums[cached] = c
	}
	_, _ = fmt.Fprintf(out, "\nGoroutines, files and connections to PgBouncer that grew by more than a twentieth and by more than 4: %d, target 0: %s\n", len(grown), report.Verdict(len(grown) == 0))
	for _, what := range grown {
		_, _ = fmt.Fprintln(out, "  "+what)
	}
	_, _ = fmt.Fprintf(out, "What has too few samples (-), and is not in the sums below: %d, target 0: %s\n", few, report.Verdict(few == 0))
	flat, err = verdicts(out, sums)
	return flat && len(grown) == 0 && few == 0, err
}

// isFlat returns whether a function's part stayed as it was. Threads come with system calls that wait, and PostgreSQL's connections
// with how much is asked of PgBouncer at a moment.
func (c change) isFlat(what string) bool {
	factor, few := 1.05, 4.0
	if what == memory {
		few = 1
	}
	return what == threads || what == connections || c.last <= factor*c.first || c.last <= c.first+few
}

func changeOf(samples []sample, what, of string, first, last window) (change, bool) {
	before, begun := median(samples, what, of, first)
	after, ended := median(samples, what, of, last)
	return change{before, after}, begun && ended
}

// verdicts prints the sums of all functions and whether each stayed as it was: at most a twentieth more, and of what is counted, four
// more.
func verdicts(out io.Writer, sums map[string]change) (flat bool, err error) {
	const factor = 1.05
	_, _ = fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "all functions\tfirst\tlast\tratio\ttarget\t")
	flat = true
	for _, what := range []string{memory, goroutines, files, clients, cached} {
		sum, ok := sums[what]
		if !ok || sum.first == 0 {
			return false, fmt.Errorf("there are no samples of %s", what)
		}
		ratio := sum.last / sum.first
		met, target := ratio <= factor, "at most 1.05"
		if what != memory {
			met, target = sum.isFlat(what), "at most 1.05, or 4 more"
		}
		flat = flat && met
		said := report.Verdict(met)
		if what == memory {
			said, err = report.Reached(report.Goal{
				What: "soak: memory of all functions in its last minutes", Beside: "its first minutes",
				Measured: fmt.Sprintf("%.3f", ratio), Target: target, Met: met,
			})
			if err != nil {
				return false, err
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.3f\t%s\t%s\n", what, sum.first, sum.last, ratio, target, said)
	}
	return flat, table.Flush()
}

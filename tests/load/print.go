package load

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/honeydue/backend/tests/bench/report"
)

// print writes the tables and returns whether the promise was kept: no wrong answer, nothing lost, and each call in time. As fast
// as answers come there is no promise of time.
func (t Test) print(out io.Writer, o options, r *result) (bool, error) {
	pace, underWay := fmt.Sprintf("%d requests a second", o.rate), max(1, r.all.Throughput*r.all.Latencies.Mean.Seconds())
	if o.rate == 0 {
		pace, underWay = fmt.Sprintf("%d at a time, as fast as answers come", o.clients), float64(o.clients)
	}
	_, _ = fmt.Fprintf(out, "Load of %s: %s for %s; people and homes made in %.1f s\n\n", t.Function, pace, o.duration, r.seeded.Seconds())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "call\trequests\ta second\tp50\tp95\tp99\tmay take\tlongest\tKiB an answer\t")
	for _, name := range slices.Sorted(maps.Keys(r.byCall)) {
		row(table, name, report.MS(t.bound(name)), r.byCall[name])
	}
	row(table, "all", "", &r.all)
	if err := table.Flush(); err != nil {
		return false, err
	}
	wrong := 0
	for _, n := range r.wrong {
		wrong += n
	}
	requests := float64(max(r.all.Requests, 1))
	_, _ = fmt.Fprintf(out, "\nThe function: %.2f CPU seconds, %.0f µs a request; %s; %d processes\n",
		r.used.cpu.Seconds(), float64(r.used.cpu.Microseconds())/requests, r.used.memory(underWay), r.used.processes)
	late := t.late(r)
	inTime := o.rate == 0 || len(late) == 0
	// A rate that was not reached is not one that was tried.
	reached := o.rate == 0 || float64(r.all.Requests) >= 0.95*float64(o.rate)*o.duration.Seconds()
	_, _ = fmt.Fprintf(out, "Promise: no wrong answer (%d of %d are): %s", wrong, r.all.Requests, report.Verdict(wrong == 0))
	if o.rate > 0 {
		_, _ = fmt.Fprintf(out, "; each call in time: %s; the rate reached (%.0f): %s", report.Verdict(inTime), r.all.Rate, report.Verdict(reached))
	}
	if t.Settle != nil {
		_, _ = fmt.Fprintf(out, "; every effect there, %.1f s after the last answer: %s", r.settled.Seconds(), report.Verdict(r.lost == nil))
	}
	_, _ = fmt.Fprintln(out)
	if o.rate > 0 && len(late) > 0 {
		_, _ = fmt.Fprintf(out, "  too late: %s\n", strings.Join(late, ", "))
	}
	r.printWrong(out)
	if r.lost != nil {
		_, _ = fmt.Fprintf(out, "  %v\n", r.lost)
	}
	if err := r.chart(t.Function); err != nil {
		return false, err
	}
	return wrong == 0 && inTime && reached && r.lost == nil && r.all.Requests > 0, nil
}

// printWrong writes what was wrong, the most frequent first.
func (r *result) printWrong(out io.Writer) {
	const shown = 50
	all := slices.SortedFunc(maps.Keys(r.wrong), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.wrong[b], r.wrong[a]), strings.Compare(a, b))
	})
	for _, what := range all[:min(shown, len(all))] {
		_, _ = fmt.Fprintf(out, "  %d times %s\n", r.wrong[what], what)
	}
	if len(all) > shown {
		_, _ = fmt.Fprintf(out, "  and %d things more\n", len(all)-shown)
	}
}

// bound is what 99 of 100 answers to a call may take.
func (t Test) bound(call string) time.Duration { return cmp.Or(t.Slower[call], t.P99) }

// late returns the calls that were not in time. Where there are too few answers for one of 100 to mean something, none of them may
// take more than some times as long.
func (t Test) late(r *result) (late []string) {
	const enough, times = 150, 5
	for _, name := range slices.Sorted(maps.Keys(r.byCall)) {
		m := r.byCall[name]
		if m.Requests >= enough && m.Latencies.P99 > t.bound(name) || m.Latencies.Max > times*t.bound(name) && m.Requests < enough {
			late = append(late, name)
		}
	}
	return late
}

// chart keeps the latencies of each call for the page about performance.
func (r *result) chart(function string) error {
	for name, m := range r.byCall {
		for _, of100 := range []float64{50, 75, 90, 95, 99} {
			err := report.Plotted(report.Point{
				Plot: "load-" + function + "/Answers of " + function + ", ms* by how many of 100 are no slower",
				Line: name, X: of100, Y: float64(m.Latencies.Quantile(of100/100).Microseconds()) / 1000,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func row(table io.Writer, name, bound string, m *vegeta.Metrics) {
	_, _ = fmt.Fprintf(table, "%s\t%d\t%.1f\t%s\t%s\t%s\t%s\t%s\t%.1f\t\n", name, m.Requests, m.Rate,
		report.MS(m.Latencies.P50), report.MS(m.Latencies.P95), report.MS(m.Latencies.P99), bound, report.MS(m.Latencies.Max), float64(m.BytesIn.Total)/1024/float64(max(m.Requests, 1)))
}

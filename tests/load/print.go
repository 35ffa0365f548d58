package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/honeydue/backend/tests/bench/report"
)

// print writes the tables and returns whether the promise was kept: no wrong answer, nothing lost, and in time. As fast as
// answers come there is no promise of time.
func (t Test) print(out io.Writer, o options, r *result) (bool, error) {
	pace := fmt.Sprintf("%d requests a second", o.rate)
	if o.rate == 0 {
		pace = "as fast as answers come"
	}
	_, _ = fmt.Fprintf(out, "Load of %s: %s for %s, at most %d under way; people and homes made in %.1f s\n\n", t.Function, pace, o.duration, o.clients, r.seeded.Seconds())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "call\trequests\ta second\tp50\tp95\tp99\tlongest\tKiB an answer\t")
	for _, name := range slices.Sorted(maps.Keys(r.byCall)) {
		row(table, name, r.byCall[name])
	}
	row(table, "all", &r.all)
	if err := table.Flush(); err != nil {
		return false, err
	}
	wrong := 0
	for _, n := range r.wrong {
		wrong += n
	}
	requests := float64(max(r.all.Requests, 1))
	_, _ = fmt.Fprintf(out, "\nThe function: %.2f CPU seconds, %.0f µs a request; memory %.1f MiB before, %.1f MiB at most, %.1f KiB a request under way; %d processes\n",
		r.used.cpu.Seconds(), float64(r.used.cpu.Microseconds())/requests, mib(r.used.before), mib(r.used.peak),
		float64(r.used.peak-r.used.before)/1024/float64(o.clients), r.used.processes)
	inTime := o.rate == 0 || r.all.Latencies.P99 <= t.P99
	// A rate that was not reached is not one that was tried.
	reached := o.rate == 0 || r.all.Rate >= 0.95*float64(o.rate)
	_, _ = fmt.Fprintf(out, "Promise: no wrong answer (%d of %d are): %s", wrong, r.all.Requests, report.Verdict(wrong == 0))
	if o.rate > 0 {
		_, _ = fmt.Fprintf(out, "; p99 within %s: %s; the rate reached (%.0f): %s", report.MS(t.P99), report.Verdict(inTime), r.all.Rate, report.Verdict(reached))
	}
	if t.Settle != nil {
		_, _ = fmt.Fprintf(out, "; every effect there, %.1f s after the last answer: %s", r.settled.Seconds(), report.Verdict(r.lost == nil))
	}
	_, _ = fmt.Fprintln(out)
	for _, what := range slices.Sorted(maps.Keys(r.wrong)) {
		_, _ = fmt.Fprintf(out, "  %d times %s\n", r.wrong[what], what)
	}
	if r.lost != nil {
		_, _ = fmt.Fprintf(out, "  %v\n", r.lost)
	}
	if err := r.chart(t.Function); err != nil {
		return false, err
	}
	_, err := fmt.Fprintf(out, "Plot: %s\n", r.plot)
	return wrong == 0 && inTime && reached && r.lost == nil && r.all.Requests > 0, err
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

func row(table io.Writer, name string, m *vegeta.Metrics) {
	_, _ = fmt.Fprintf(table, "%s\t%d\t%.1f\t%s\t%s\t%s\t%s\t%.1f\t\n", name, m.Requests, m.Rate,
		report.MS(m.Latencies.P50), report.MS(m.Latencies.P95), report.MS(m.Latencies.P99), report.MS(m.Latencies.Max), float64(m.BytesIn.Total)/1024/float64(max(m.Requests, 1)))
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/bench/turns"
)

// leastThrough is the share of the function's own rate that is enough for the way through Traefik and Knative.
const leastThrough = 0.5

// printSides writes every side's figures, medians of the rounds.
func printSides(out io.Writer, all []*side) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "what\tby way of\ta second\tp50\tp99\tCPU: %s\tsum\t\n", strings.Join(parts[:], "\t"))
	for _, s := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%.0f", s.what, s.way.name, turns.Median(s.runs, rate))
		for _, of100 := range []int{50, 99} {
			_, _ = fmt.Fprintf(table, "\t%.1f ms", turns.Median(s.runs, func(r run) float64 { return r.Percentile(of100) }))
		}
		for _, part := range parts {
			_, _ = fmt.Fprintf(table, "\t%.0f µs", turns.Median(s.runs, func(r run) float64 { return r.cpu(part) }))
		}
		_, _ = fmt.Fprintf(table, "\t%.0f µs\t\n", turns.Median(s.runs, func(r run) float64 { return r.cpu(parts[:]...) }))
	}
	return table.Flush()
}

// cpu is what parts took for an answer, in microseconds.
func (r run) cpu(parts ...string) (sum float64) {
	for _, part := range parts {
		sum += r.used[part].Seconds() * 1e6 / float64(r.Done())
	}
	return sum
}

func rate(r run) float64 { return r.Rate() }

// beside divides a side's rate by another one's of the same round.
func (s *side) beside(other *side) turns.Ratio { return turns.Compare(s.runs, other.runs, rate) }

// verdicts prints what is left of the rate on the way, and returns whether that is enough.
func (s sides) verdicts(out io.Writer) (met bool, err error) {
	_, _ = fmt.Fprint(out, "\nAnswers a second, divided by those beside, of the same round: median (least–greatest)\n\n")
	const whole = "through Traefik and queue-proxy"
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "what\tbeside\tratio\ttarget\t")
	through := s.board.beside(s.boardAlone)
	met = through.Median >= leastThrough
	goal := report.Goal{
		What: "board " + whole, Beside: "the function alone", Measured: through.String(), Target: fmt.Sprintf("at least %.2f", leastThrough), Met: met,
	}
	verdict, err := report.Reached(goal)
	if err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", goal.What, goal.Beside, goal.Measured, goal.Target, verdict)
	for _, pair := range []struct {
		what, beside string
		ratio        turns.Ratio
	}{
		{"board through queue-proxy", "the function alone", s.boardSidecar.beside(s.boardAlone)},
		{"look-ups " + whole, "the function alone", s.lookups.beside(s.lookupsAlone)},
		{"empty service " + whole, "the empty service alone", s.empty.beside(s.emptyAlone)},
		{"board " + whole, "the empty service by the same way", s.board.beside(s.empty)},
		{"look-ups " + whole, "the empty service by the same way", s.lookups.beside(s.empty)},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\tnone\t\n", pair.what, pair.beside, pair.ratio)
	}
	return met, table.Flush()
}

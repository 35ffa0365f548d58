package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// A life is that of one process, as far as it was watched.
type life struct {
	of      string
	pid     int
	samples []sample // of its memory, in order
}

func (l life) lasted() time.Duration { return l.samples[len(l.samples)-1].after - l.samples[0].after }

// tellLives prints how the memory of each function's oldest process went, which a kill has not made small again, and returns whether
// none grew in the second half of its life.
func tellLives(out io.Writer, samples []sample) (steady bool, err error) {
	const ripe, part = 4 * time.Minute, time.Minute
	steady = true
	oldest := map[string]life{}
	for _, l := range livesOf(samples) {
		if had, ok := oldest[l.of]; !ok || l.lasted() > had.lasted() {
			oldest[l.of] = l
		}
	}
	_, _ = fmt.Fprint(out, "\nMemory of each function's oldest process, MiB, medians of a minute of its life\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "function\tminutes watched\tsecond minute\tin the middle\tlast minute\tsteady\t")
	for _, name := range functions() {
		l, ok := oldest[name]
		if !ok || l.lasted() < ripe {
			continue
		}
		from, to := l.samples[0].after, l.samples[len(l.samples)-1].after
		middle := from + l.lasted()/2
		_, _ = fmt.Fprintf(table, "%s\t%.1f\t", name, l.lasted().Minutes())
		var held [3]float64
		for i, w := range []window{{from + part, from + 2*part}, {middle - part/2, middle + part/2}, {to - part, to}} {
			typical, enough := median(l.samples, memory, name, w)
			held[i], ok = typical, ok && enough
			_, _ = fmt.Fprintf(table, "%.1f\t", held[i])
		}
		met := ok && change{held[1], held[2]}.isFlat(memory)
		steady = steady && met
		_, _ = fmt.Fprintf(table, "%s\t\n", report.Verdict(met))
	}
	return steady, table.Flush()
}

func livesOf(samples []sample) (all []life) {
	of := map[int][]sample{}
	for _, s := range samples {
		if s.what == memory {
			of[s.pid] = append(of[s.pid], s)
		}
	}
	for pid, watched := range of {
		all = append(all, life{watched[0].of, pid, watched})
	}
	slices.SortFunc(all, func(a, b life) int { return cmp.Compare(a.pid, b.pid) })
	return all
}

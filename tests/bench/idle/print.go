package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	manifests "github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/tests/bench/report"
)

// print writes what ran while nothing happened.
func (w *watched) print(out io.Writer) error {
	_, _ = fmt.Fprintf(out, "What runs while nothing happens: everything is deployed and sleeps. Watched for %s, in %s of which no function had a pod;\n"+
		"thousandths of a core in those, and CPU over the whole time. Memory is an average; what processes share is divided among them.\n\n",
		w.all.took.Round(time.Second), w.calm.took.Round(time.Second))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "group\tprogram\tprocesses\tcores/1000\tCPU in all\tmemory\t")
	for _, group := range groups {
		all := w.partsOf(group)
		for _, p := range all {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%.1f\t%.2f s\t%s\t\n", p.group, p.name, w.processes[p],
				1000*w.calm.cores(func(other part) bool { return other == p }), w.all.spent[p].Seconds(), report.MiB(w.holds(p)))
		}
		if len(all) < 2 {
			continue
		}
		var memory int64
		var spent time.Duration
		for _, p := range all {
			memory, spent = memory+w.holds(p), spent+w.all.spent[p]
		}
		_, _ = fmt.Fprintf(table, "%s\ttogether\t\t%.1f\t%.2f s\t%s\t\n", group,
			1000*w.calm.cores(func(p part) bool { return p.group == group }), spent.Seconds(), report.MiB(memory))
	}
	return table.Flush()
}

// partsOf returns a group's parts, those that spent most first.
func (w *watched) partsOf(group string) []part {
	var found []part
	for p := range maps.Keys(w.memory) {
		if p.group == group {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b part) int {
		return cmp.Or(cmp.Compare(w.all.spent[b], w.all.spent[a]), cmp.Compare(a.name, b.name))
	})
	return found
}

// printWakeUps writes which functions woke all the same, and what their schedules have them do in a day.
func (w *watched) printWakeUps(out io.Writer, m *manifests.Manifests) error {
	_, _ = fmt.Fprintf(out, "\nWho woke in that time, by the ticks of schedules. A pod counts from its first second to its last, its end included; the test cluster's\n"+
		"functions wait for 6 s, those of production as long as their manifests say.\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "function\tschedules\tticks a day\tseen awake\tfor, on average\tawake in production, a tick\t")
	for _, f := range m.Functions {
		var names []string
		ticks := map[int]bool{}
		for _, s := range schedulesOf(m, f) {
			names = append(names, s.Name)
			minutes, err := minutesOf(s.Spec.Schedule)
			if err != nil {
				return err
			}
			for _, minute := range minutes {
				ticks[minute] = true
			}
		}
		times, sum := 0, time.Duration(0)
		for _, s := range w.stays {
			if s.function == f.Name {
				times, sum = times+1, sum+s.last.Sub(s.first)
			}
		}
		if times == 0 && len(names) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(table, "%s\t%v\t%d\t%d\t%.0f s\t%s\t\n", f.Name, names, 24*len(ticks), times, (sum / time.Duration(max(1, times))).Seconds(), f.Idle)
	}
	return table.Flush()
}

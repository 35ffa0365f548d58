package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	manifests "github.com/honeydue/backend/knative"
)

// A bill is what so many households take, and what that costs in a month.
type bill struct {
	day

	households int
	always     float64 // CPU-hours a day of what runs when nothing happens, on all nodes
	cpu        float64 // CPU-hours a day in all
	memory     float64 // bytes on all nodes
	database   float64 // euros
}

// billFor works a bill out.
func billFor(m *manifests.Manifests, quiet *watched, c *costs, households int) (b bill, err error) {
	b = bill{households: households}
	if b.day, err = live(m, households); err != nil {
		return b, err
	}
	for p := range quiet.memory {
		if !p.inProduction() || p.group == functions {
			continue
		}
		times := 1.0
		if p.everywhere() {
			times = nodes
		}
		b.always += 24 * times * quiet.calm.cores(func(other part) bool { return other == p })
		b.memory += times * float64(quiet.holds(p))
	}
	const second = 1.0 / 3600 // in hours
	pods := sum(b.awake)
	b.cpu = b.always + b.sessions*onNodes(c.session).Hours() + sum(b.wakes)*onNodes(c.wakeUp).Hours() +
		pods/second*onNodes(c.stay).Hours()
	b.memory += pods / 24 * float64(c.holds)
	b.database = b.day.database * daysAMonth * databaseUnits * dollarsAnHour * eurosADollar
	return b, nil
}

// Euros of a month, and the share of what the nodes have.
func (b bill) euros() float64       { return nodes*eurosANode + b.database }
func (b bill) coreShare() float64   { return b.cpu / (24 * nodes * coresANode) }
func (b bill) memoryShare() float64 { return b.memory / (nodes * memoryANode) }

// printModel works out what households cost, and says from what.
func printModel(out io.Writer, m *manifests.Manifests, quiet *watched, c *costs) error {
	_, _ = fmt.Fprintf(out, "\nWhat households cost. Measured: the tables above. In the manifests: schedules, windows, least pods. Assumed:\n\n%s\n", assumed())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "households\twake-ups a day\tpod-hours\tCPU-hours\tof it always\tof all cores\tof a node\tof all memory\tdatabase awake\tdatabase\tnodes\ta month\tper 1,000\t")
	var goal bill
	for _, n := range populations {
		b, err := billFor(m, quiet, c, n)
		if err != nil {
			return err
		}
		if n == usual {
			goal = b
		}
		_, _ = fmt.Fprintf(table, "%d\t%.0f\t%.0f\t%.2f\t%.2f\t%.1f %%\t%.1f %%\t%.1f %%\t%.1f h a day\t%.2f €\t%.2f €\t%.2f €\t%.2f €\t\n",
			n, sum(b.wakes), sum(b.awake), b.cpu, b.always, 100*b.coreShare(), 100*b.coreShare()*nodes, 100*b.memoryShare(),
			b.day.database, b.database, nodes*eurosANode, b.euros(), b.euros()*usual/float64(n))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "\nA day of %d households, by function\n\n", goal.households)
	table = tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "function\twake-ups\thours with a pod\tCPU-hours: waking\tawake\t")
	for _, f := range m.Functions {
		_, _ = fmt.Fprintf(table, "%s\t%.0f\t%.1f\t%.3f\t%.3f\t\n", f.Name, goal.wakes[f.Name], goal.awake[f.Name],
			goal.wakes[f.Name]*onNodes(c.wakeUp).Hours(), goal.awake[f.Name]*3600*onNodes(c.stay).Hours())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nPer 1,000 households: %.0f wake-ups a day; %.2f € a month, of which the nodes are %.2f € whether anybody comes or not, and the\n"+
		"database %.2f €. By what they use, %.1f %% of the cores and %.1f %% of the memory, their part of the nodes is %.2f €.\n",
		sum(goal.wakes), goal.euros(), nodes*eurosANode, goal.database, 100*goal.coreShare(), 100*goal.memoryShare(),
		nodes*eurosANode*max(goal.coreShare(), goal.memoryShare()))
	return err
}

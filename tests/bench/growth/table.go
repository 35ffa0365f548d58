package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// A table is figures of several things, at one size of what grows after the other.
type table struct {
	title, grows string
	all          []*series
}

// A series is the figures of one thing.
type series struct {
	name   string
	unit   unit
	points []point
	goal   goal
}

// A point is the figure at one size.
type point struct {
	size     int
	p50, p99 float64 // p99 is 0 where there is none
}

// A goal is what must be true of a series; its zero value is nothing.
type goal struct {
	short    string  // the thing's name, where it stands for itself
	at       []int   // the sizes at which the figure is
	times    float64 // that of the first size, at most
	steepest float64 // the slope, at most
}

// A unit is what figures are of.
type unit string

const (
	milliseconds unit = "%.2f ms"
	seconds      unit = "%.3f s"
	kibibytes    unit = "%.1f KiB"
	mebibytes    unit = "%.1f MiB"
	pieces       unit = "%.0f"
)

// of writes a figure.
func (u unit) of(figure float64) string { return fmt.Sprintf(string(u), figure) }

// enough is how many times must have been measured for 99 in 100 to mean something.
const enough = 100

// times adds p50 and, where they are enough, p99 of sorted durations.
func (t *table) times(name string, size int, all []time.Duration) {
	p := point{size: size, p50: inMilliseconds(all[len(all)/2])}
	if len(all) >= enough {
		p.p99 = inMilliseconds(all[len(all)*99/100])
	}
	t.add(name, milliseconds, p)
}

// memory adds how many bytes there were.
func (t *table) memory(name string, size int, bytes int64) {
	t.add(name, mebibytes, point{size: size, p50: float64(bytes) / (1 << 20)})
}

func (t *table) add(name string, u unit, p point) {
	i := slices.IndexFunc(t.all, func(s *series) bool { return s.name == name })
	if i < 0 {
		i, t.all = len(t.all), append(t.all, &series{name: name, unit: u})
	}
	t.all[i].points = append(t.all[i].points, p)
}

// require sets the goal of a series that is there.
func (t *table) require(name string, g goal) {
	for _, s := range t.all {
		if s.name == name {
			s.goal = g
		}
	}
}

// print prints the table, keeps its times for a plot, and returns whether all goals are met.
func (t *table) print(out io.Writer) (met bool, err error) {
	_, _ = fmt.Fprintf(out, "\n%s\n\n", t.title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "what\t%s\tp50, size\tp99\ttimes\tslope\ttarget\t\t\n", t.grows)
	met = true
	for _, s := range t.all {
		for i, p := range s.points {
			name, p99, slope := "", "", ""
			if i == 0 {
				name = s.name
			}
			if p.p99 > 0 {
				p99 = s.unit.of(p.p99)
			}
			last := i == len(s.points)-1
			if last && i > 0 {
				slope = fmt.Sprintf("%.2f", s.slope())
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.2f\t%s\t", name, count(p.size), s.unit.of(p.p50), p99, p.p50/s.points[0].p50, slope)
			targets := s.judge(t.grows, p, last)
			if len(targets) == 0 {
				_, _ = fmt.Fprintln(w, "\t\t")
			}
			for j, g := range targets {
				verdict, err := report.Reached(g)
				if err != nil {
					return false, err
				}
				if j > 0 {
					_, _ = fmt.Fprint(w, "\t\t\t\t\t\t")
				}
				met = met && g.Met
				_, _ = fmt.Fprintf(w, "%s\t%s\t\n", g.Target, verdict)
			}
			if s.unit != milliseconds {
				continue
			}
			if err := report.Plotted(report.Point{Plot: "growth/" + t.title + ", p50 in ms* by " + t.grows + "*", Line: s.name, X: float64(p.size), Y: p.p50}); err != nil {
				return false, err
			}
		}
	}
	if err := w.Flush(); err != nil {
		return false, err
	}
	for _, s := range t.all {
		for _, size := range s.goal.at {
			if size > s.points[len(s.points)-1].size {
				_, _ = fmt.Fprintf(out, "Not measured here: %s, %s %s\n", s.goal.short, count(size), t.grows)
			}
		}
	}
	return met, nil
}

// judge returns what is asked of a point: how it stands beside the first, and, of the last one, how steep all are.
func (s *series) judge(grows string, p point, last bool) (all []report.Goal) {
	first := s.points[0]
	if slices.Contains(s.goal.at, p.size) {
		factor := p.p50 / first.p50
		all = append(all, report.Goal{
			What: fmt.Sprintf("%s, %s %s", s.goal.short, count(p.size), grows), Beside: fmt.Sprintf("%s %s", count(first.size), grows),
			Measured: fmt.Sprintf("%.2f times", factor), Target: fmt.Sprintf("at most %.1f times", s.goal.times), Met: factor <= s.goal.times,
		})
	}
	if last && s.goal.steepest > 0 && len(s.points) > 1 {
		slope := s.slope()
		all = append(all, report.Goal{
			What: fmt.Sprintf("%s, %s to %s %s", s.goal.short, count(first.size), count(p.size), grows), Beside: "its size",
			Measured: fmt.Sprintf("slope %.2f", slope), Target: fmt.Sprintf("slope at most %.1f", s.goal.steepest), Met: slope <= s.goal.steepest,
		})
	}
	return all
}

// slope is that of the line which lies nearest to the logarithms of p50 over those of size, by least squares, to
// hundredths.
func (s *series) slope() float64 {
	var x, y, xx, xy float64
	for _, p := range s.points {
		lx, ly := math.Log(float64(p.size)), math.Log(p.p50)
		x, y, xx, xy = x+lx, y+ly, xx+lx*lx, xy+lx*ly
	}
	n := float64(len(s.points))
	return math.Round((n*xy-x*y)/(n*xx-x*x)*100)/100 + 0 // nothing has no sign
}

// count writes a round number as people say it.
func count(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return strconv.Itoa(n/1_000_000) + " M"
	case n >= 1_000 && n%1_000 == 0:
		return strconv.Itoa(n/1_000) + " k"
	}
	return strconv.Itoa(n)
}

func inMilliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

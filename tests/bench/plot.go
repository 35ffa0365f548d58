package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/honeydue/backend/tests/bench/report"
)

// draw draws the plots of records as SVG files in folder, and returns their names. A plot is named `<benchmark>/<what
// is drawn>, <y axis> by <x axis>`, with an asterisk behind an axis that counts in powers of ten.
func draw(folder string, records []report.Record) (names []string, err error) {
	lines := map[string]map[string]plotter.XYs{}
	for _, r := range records {
		if p := r.Point; p != nil {
			if lines[p.Plot] == nil {
				lines[p.Plot] = map[string]plotter.XYs{}
			}
			lines[p.Plot][p.Line] = append(lines[p.Plot][p.Line], plotter.XY{X: p.X, Y: p.Y})
		}
	}
	for _, title := range slices.Sorted(maps.Keys(lines)) {
		benchmark, rest, _ := strings.Cut(title, "/")
		name := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '-'
		}, strings.ToLower(benchmark+"-"+strings.SplitN(rest, ",", 2)[0])) + ".svg"
		if err := drawOne(filepath.Join(folder, name), rest, lines[title]); err != nil {
			return nil, fmt.Errorf("draw %s: %w", name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

func drawOne(path, title string, lines map[string]plotter.XYs) error {
	what, axes, _ := strings.Cut(title, ", ")
	y, x, _ := strings.Cut(axes, " by ")
	p := plot.New()
	p.Title.Text, p.Legend.Top, p.Legend.Left = what, true, true
	scale(&p.X, x)
	scale(&p.Y, y)
	p.Add(plotter.NewGrid())
	var args []any
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		slices.SortFunc(lines[name], func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		args = append(args, name, lines[name])
	}
	if err := plotutil.AddLinePoints(p, args...); err != nil {
		return err
	}
	return p.Save(8*vg.Inch, 4.5*vg.Inch, path)
}

// scale labels an axis.
func scale(axis *plot.Axis, label string) {
	if logarithmic := strings.HasSuffix(label, "*"); logarithmic {
		axis.Scale, axis.Tick.Marker = plot.LogScale{}, decades{}
	}
	axis.Label.Text = strings.TrimSuffix(label, "*")
}

// decades are the marks of an axis that counts in powers of ten: each has its number, and, where there are few of them, 2 and 5 times
// of it have theirs.
type decades struct{}

// Ticks implements [plot.Ticker].
func (decades) Ticks(least, most float64) (all []plot.Tick) {
	const few = 3
	if least <= 0 {
		return nil // which has no logarithm
	}
	from, to := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	for power := from; power <= to; power++ {
		for times := 1.0; times < 10; times++ {
			mark := plot.Tick{Value: times * math.Pow(10, power)}
			if mark.Value < least || mark.Value > most {
				continue
			}
			if times == 1 || to-from <= few && (times == 2 || times == 5) {
				mark.Label = strconv.FormatFloat(mark.Value, 'g', 6, 64)
			}
			all = append(all, mark)
		}
	}
	if labelled := func(t plot.Tick) bool { return t.Label != "" }; len(all) > 0 && !slices.ContainsFunc(all, labelled) {
		for _, mark := range []*plot.Tick{&all[0], &all[len(all)-1]} {
			mark.Label = strconv.FormatFloat(mark.Value, 'g', 6, 64)
		}
	}
	return all
}

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The measures of a chart, in units of its own: a page stretches it to the room that there is.
const (
	barStep   = 10
	barWidth  = 8
	barRoom   = 100 // the height of the highest bar
	leastTall = 2   // the height of the lowest bar that is not nothing
)

// A bar stands on the ground line of a chart.
type bar struct {
	X, Y, Width, Height int
	Tone                string // a class: empty, bad, or soft for one that stands behind another
	Title               string // what a pointer is told
}

// A chart is bars side by side, with what they say in words.
type chart struct {
	Title    string
	Now      string // the last bar in words
	Scale    string // how much the highest bar is
	From, To string // what the first and the last bar are of
	Label    string // all of it, for those who do not see it
	Width    int
	Height   int
	Bars     []bar
}

// A point is what one bar is of.
type point struct {
	Of    string // such as 3 November
	Value float64
}

// A series draws points.
type series struct {
	Points []point
	Tone   string
	Say    func(value float64) string
}

// bars draws the series on a scale that ends at most.
func (s series) bars(most float64) []bar {
	var drawn []bar
	for i, p := range s.Points {
		if p.Value <= 0 {
			continue
		}
		height := max(leastTall, int(math.Round(p.Value/most*barRoom)))
		drawn = append(drawn, bar{
			X: i*barStep + (barStep-barWidth)/2, Y: barRoom - height, Width: barWidth, Height: height,
			Tone: s.Tone, Title: p.Of + ": " + s.Say(p.Value),
		})
	}
	return drawn
}

// most is the highest point.
func (s series) most() point {
	highest := s.Points[0]
	for _, p := range s.Points[1:] {
		if p.Value > highest.Value {
			highest = p
		}
	}
	return highest
}

// countChart draws how many of something there were on each day.
func countChart(title, tone string, points []point) chart {
	s := series{Points: points, Tone: tone, Say: func(n float64) string { return grouped(int64(n)) }}
	first, last, top := points[0], points[len(points)-1], s.most()
	sum := 0.0
	for _, p := range points {
		sum += p.Value
	}
	c := chart{
		Title: title, Now: s.Say(last.Value) + " today", From: first.Of, To: "today", Scale: "none",
		Label: fmt.Sprintf("%s by day, %s to today: none.", title, first.Of),
		Width: len(points) * barStep, Height: barRoom, Bars: s.bars(max(1, top.Value)),
	}
	if top.Value > 0 {
		c.Scale = "most: " + s.Say(top.Value) + " on " + top.Of
		c.Label = fmt.Sprintf("%s by day, %s to today: %s today, %s in all; the most, %s, on %s.",
			title, first.Of, s.Say(last.Value), s.Say(sum), s.Say(top.Value), top.Of)
	}
	return c
}

// lagChart draws how long events took by hour: bars of p50 before those of p95.
func lagChart(title string, p50, p95 []point) chart {
	const least = 0.001 // seconds; a scale must not end at nothing
	front := series{Points: p50, Say: func(v float64) string { return "p50 " + seconds(v) }}
	behind := series{Points: p95, Tone: "soft", Say: func(v float64) string { return "p95 " + seconds(v) }}
	first, last, top := p95[0], p95[len(p95)-1], behind.most()
	c := chart{
		Title: title + ": p50 full, p95 pale", Now: "nothing this hour", From: first.Of + " UTC", To: "now", Scale: "none",
		Label: fmt.Sprintf("%s by hour, %s to this hour: no event.", title, first.Of),
		Width: len(p95) * barStep, Height: barRoom,
		Bars: append(behind.bars(max(least, top.Value)), front.bars(max(least, top.Value))...),
	}
	if last.Value > 0 {
		c.Now = front.Say(p50[len(p50)-1].Value) + ", " + behind.Say(last.Value) + " this hour"
	}
	if top.Value > 0 {
		c.Scale = "most: " + seconds(top.Value) + " at " + top.Of
		c.Label = fmt.Sprintf("%s by hour, %s to this hour: %s; the most, %s, at %s.", title, first.Of, c.Now, behind.Say(top.Value), top.Of)
	}
	return c
}

// grouped writes a number as people read it: 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

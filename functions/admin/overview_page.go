package main

import (
	"strings"
	"time"
)

// An overviewPage is what the first page shows.
type overviewPage struct {
	At            time.Time
	Tiles         []tile
	Charts        []chart
	Daily, Hourly labelled // the figures of the charts
}

// A tile is one number that matters.
type tile struct {
	Label, Value, Note string
	Tone               string // good, bad or empty
	Link               string
}

// tooOld is for how long an event may be undelivered before somebody has to look: two rounds of the outbox's schedule.
const tooOld = 10 * time.Minute

func overviewPageOf(o overviewBody) overviewPage {
	return overviewPage{At: o.At, Tiles: tiles(o), Charts: charts(o), Daily: daily(o.Days), Hourly: hourly(o.Hours)}
}

// tiles begins with what may be wrong.
func tiles(o overviewBody) []tile {
	f := o.Failures
	oldest := tile{Label: "Oldest undelivered event", Value: "none", Tone: "good", Link: "/events/?state=pending"}
	if f.OldestUndeliveredAt != nil {
		age := max(0, o.At.Sub(*f.OldestUndeliveredAt))
		oldest.Value = span(age)
		if age > tooOld {
			oldest.Tone, oldest.Note = "bad", "older than 10 minutes"
		}
	}
	late := tile{Label: "Schedules late", Value: grouped(int64(len(f.LateSchedules))), Tone: "good", Link: "/schedules/"}
	if len(f.LateSchedules) > 0 {
		late.Tone, late.Note = "bad", strings.Join(f.LateSchedules, ", ")
	}
	return []tile{
		oldest,
		failed("Dead events", f.DeadEvents, "/events/?state=dead"),
		failed("Dead messages", f.DeadMessages, "/deliveries/?state=dead"),
		failed("Failed uploads", f.FailedUploads, "/uploads/?state=failed"),
		late,
		counting("People", o.People, "/people/"),
		counting("Homes", o.Homes, "/homes/"),
		counting("Tasks done", o.TasksDone, "/tasks/?state=completed"),
	}
}

func failed(label string, n int64, link string) tile {
	t := tile{Label: label, Value: grouped(n), Tone: "good", Link: link}
	if n > 0 {
		t.Tone = "bad"
	}
	if n >= countedFailures {
		t.Note = "or more"
	}
	return t
}

func counting(label string, t total, link string) tile {
	shown := tile{Label: label, Value: grouped(t.Count), Link: link}
	if t.Estimated {
		shown.Note = "estimated"
	}
	return shown
}

// figures are what is counted by day, in the order of charts and columns.
type figures struct {
	Title, Tone string
	Of          func(dayFigures) int64
}

func dayColumns() []figures {
	return []figures{
		{"New people", "", func(d dayFigures) int64 { return d.People }},
		{"New homes", "", func(d dayFigures) int64 { return d.Homes }},
		{"Tasks done", "", func(d dayFigures) int64 { return d.TasksDone }},
		{"Mails sent", "", func(d dayFigures) int64 { return d.Mails }},
		{"Pushes sent", "", func(d dayFigures) int64 { return d.Pushes }},
		{"Messages that died", "bad", func(d dayFigures) int64 { return d.DeadMessages }},
	}
}

func charts(o overviewBody) []chart {
	var drawn []chart
	for _, c := range dayColumns() {
		points := make([]point, len(o.Days))
		for i, d := range o.Days {
			points[i] = point{inWords(d.On), float64(c.Of(d))}
		}
		drawn = append(drawn, countChart(c.Title, c.Tone, points))
	}
	p50, p95 := make([]point, len(o.Hours)), make([]point, len(o.Hours))
	for i, h := range o.Hours {
		of := h.Hour.Format("15:04")
		p50[i], p95[i] = point{of, h.P50Seconds}, point{of, h.P95Seconds}
	}
	return append(drawn, lagChart("Event lag", p50, p95))
}

// inWords writes a date without its year.
func inWords(on string) string {
	day, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return on
	}
	return day.Format("2 Jan")
}

func daily(days []dayFigures) labelled {
	t := labelled{Label: "Figures by day", table: table{Titles: []string{"Day"}}}
	for _, c := range dayColumns() {
		t.Titles = append(t.Titles, c.Title)
	}
	for i := range days {
		d := days[len(days)-1-i]
		row := []cell{text(d.On)}
		for _, c := range dayColumns() {
			row = append(row, text(grouped(c.Of(d))))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func hourly(hours []lagFigures) labelled {
	t := labelled{Label: "Figures by hour", table: table{Titles: []string{"Hour (UTC)", "Confirmations", "p50", "p95"}}}
	for i := range hours {
		h := hours[len(hours)-1-i]
		row := []cell{text(h.Hour.Format("2 Jan 15:04")), text(grouped(h.Events)), {}, {}}
		if h.Events > 0 {
			row[2], row[3] = text(seconds(h.P50Seconds)), text(seconds(h.P95Seconds))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// seconds is span of so many.
func seconds(n float64) string { return span(time.Duration(n * float64(time.Second))) }

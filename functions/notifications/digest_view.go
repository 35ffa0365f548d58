package main

import (
	"fmt"
	"strings"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/notice"
)

// linesOfDigest is how many lines a list of a digest has at most.
const linesOfDigest = 10

// A digest is what one person's day brings: tasks that are overdue, those of the next seven days, and warranties that end
// soon. Each list has at most [linesOfDigest] lines, the most pressing first; how many more there are, the counts beside them say.
type digest struct {
	Overdue, DueThisWeek, Warranties             []digestLine
	MoreOverdue, MoreDueThisWeek, MoreWarranties int
}

// counts returns how many there are of each, beyond the lines too.
func (d *digest) counts() (overdue, dueThisWeek, warranties int) {
	return len(d.Overdue) + d.MoreOverdue, len(d.DueThisWeek) + d.MoreDueThisWeek, len(d.Warranties) + d.MoreWarranties
}

// A digestLine is a task and when it was due or is, or a document and when its warranty ends.
type digestLine struct {
	Title string
	Home  string
	On    date.Date
}

// A digestView is a digest as templates show it.
type digestView struct {
	Summary  string // 2 overdue, 3 due this week, 1 warranty ends soon
	First    string // the most pressing line's title
	Sections []digestSection
}

type digestSection struct {
	Name  string
	Lines []digestShown
	More  int // beyond the lines
}

type digestShown struct {
	Title, Home, On string
}

// viewOfDigest leaves out what is empty.
func viewOfDigest(d digest) digestView {
	var v digestView
	var parts []string
	for _, s := range []struct {
		name      string
		lines     []digestLine
		more      int
		one, many string // what the summary says behind the number
	}{
		{"Overdue", d.Overdue, d.MoreOverdue, "overdue", "overdue"},
		{"Due this week", d.DueThisWeek, d.MoreDueThisWeek, "due this week", "due this week"},
		{"Warranties that end soon", d.Warranties, d.MoreWarranties, "warranty ends soon", "warranties end soon"},
	} {
		count := len(s.lines) + s.more
		if count == 0 {
			continue
		}
		what := s.many
		if count == 1 {
			what = s.one
		}
		parts = append(parts, fmt.Sprintf("%d %s", count, what))
		v.Sections = append(v.Sections, sectionOf(s.name, s.lines, s.more))
	}
	v.Summary = strings.Join(parts, ", ")
	if len(v.Sections) > 0 && len(v.Sections[0].Lines) > 0 {
		v.First = v.Sections[0].Lines[0].Title
	}
	return v
}

// sectionOf counts what is too long for a list with what is beyond it.
func sectionOf(name string, lines []digestLine, more int) digestSection {
	shown := lines[:min(len(lines), linesOfDigest)]
	section := digestSection{Name: name, More: more + len(lines) - len(shown)}
	for _, l := range shown {
		section.Lines = append(section.Lines, digestShown{
			Title: notice.Line(l.Title, "No title"), Home: notice.Line(l.Home, "your home"), On: l.On.Time().Format("2 Jan 2006"),
		})
	}
	return section
}

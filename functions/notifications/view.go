package main

import (
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/notice"
)

// A view is what templates may say. Whatever a person typed has been made fit for a line.
type view struct {
	Link     string
	Stop     string // ends the mails of this type; empty: nobody may
	Code     string
	Minutes  int
	Actor    string
	Home     string
	Task     string
	Document string
	Days     string // until Due: today, in 7 days; of what is overdue: since yesterday, for 6 days
	Ends     string // on Due: ends today, ends in 7 days, has ended
	Due      string // Friday, 14 November 2025; empty without a date
	Done     string // the same
	Notes    string
	When     string // 14 November 2025 at 14:05 CET
	Digest   digestView
}

// A mail with a code goes to an address that nobody has proved to be theirs. So that no stranger can have
// honeyDue carry words to it, nothing that people typed is in such a mail: its view has no names.
func (c *composer) viewOf(m message) view {
	v := view{Link: c.link, Stop: c.stop(m), When: instant(m.FactAt, m.Zone)}
	if m.Purpose != "" {
		v.Code, v.Minutes = c.keys.Derive(m.Purpose, m.UserID, m.CodeID, m.Nonce), code.Minutes
		return v
	}
	v.Actor, v.Home = notice.Line(m.Actor, "A member"), notice.Line(m.Home, "your home")
	v.Task, v.Document = notice.Line(m.Task, "a task"), notice.Line(m.Document, "a document")
	v.Due, v.Done, v.Notes = day(m.DueOn), day(m.DoneOn), notice.Paragraph(m.Notes)
	if m.DueOn != nil {
		days := int(*m.DueOn - today(c.now(), m.Zone))
		v.Days, v.Ends = notice.InDays(days), "ends "+notice.InDays(days)
		if days < 0 {
			v.Ends = "has ended"
		}
	}
	if m.Digest != nil {
		v.Digest = viewOfDigest(*m.Digest)
	}
	return v
}

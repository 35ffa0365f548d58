package main

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// This file says what people are told in the plainest way: a world of maps, a table of every minute, and loops over days. It shares nothing with what
// it is held against.

const dayFormat = "2006-01-02"

type refPerson struct {
	id     int64
	zone   string // empty: none is stored
	hours  map[string]int
	muted  map[string]bool
	device bool
	since  int64 // when the account was made
}

type refTask struct {
	id, home, assigned        int64 // assigned to 0: nobody
	due                       int   // days since 1970; 0: none
	every                     int   // 0: once
	unit                      string
	busy, cancelled, archived bool
}

type refDocument struct {
	id, home int64
	ends     int // days since 1970; 0: never
}

type refWorld struct {
	people    map[int64]*refPerson
	roles     map[int64]map[int64]string // by home and person
	tasks     map[int64]*refTask
	documents map[int64]*refDocument

	clocks map[string]map[int]*[24]int64 // by zone and day: when each hour was first shown, or anything past it
	until  map[string]int64
	told   map[string]string // when it expires, by everything else of a row
}

func newRefWorld(start time.Time) *refWorld {
	return &refWorld{
		people: map[int64]*refPerson{}, roles: map[int64]map[int64]string{}, tasks: map[int64]*refTask{}, documents: map[int64]*refDocument{},
		clocks: map[string]map[int]*[24]int64{}, told: map[string]string{},
		until: map[string]int64{"reminders": start.Unix(), "digests": start.Unix()},
	}
}

// clock looks at the clocks of a zone every minute of the year.
func (w *refWorld) clock(name string) map[int]*[24]int64 {
	if table := w.clocks[name]; table != nil {
		return table
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		zone = time.UTC
	}
	table := map[int]*[24]int64{}
	next := 0 // hours since 1970, by the clocks
	for unix := time.Date(2025, 12, 25, 0, 0, 0, 0, time.UTC).Unix(); unix < time.Date(2027, 1, 8, 0, 0, 0, 0, time.UTC).Unix(); unix += 60 {
		_, offset := time.Unix(unix, 0).In(zone).Zone()
		shown := int((unix + int64(offset)) / 3600)
		if next == 0 {
			next = (shown/24 + 1) * 24
		}
		for ; next <= shown; next++ {
			if table[next/24] == nil {
				table[next/24] = &[24]int64{}
			}
			table[next/24][next%24] = unix
		}
	}
	w.clocks[name] = table
	return table
}

// tick notes what everybody is told at a tick of a schedule.
func (w *refWorld) tick(schedule string, now time.Time) {
	hours := []string{"task_due_soon_hour", "task_overdue_hour", "warranty_expiring_hour"}
	if schedule == "digests" {
		hours = []string{"daily_digest_hour"}
	}
	after := max(w.until[schedule], now.Add(-24*time.Hour).Unix())
	for _, p := range w.people {
		for _, hour := range hours {
			table := w.clock(p.zone)
			for day := int(now.Unix()/86400) - 3; day <= int(now.Unix()/86400)+2; day++ {
				if table[day] == nil {
					continue
				}
				if at := table[day][p.hours[hour]]; at > after && at <= now.Unix() {
					w.until[schedule] = now.Unix()
					if p.since <= at {
						w.tell(p, hour, day, at)
					}
				}
			}
		}
	}
}

// mine returns whether a person is to be reminded of a task.
func (w *refWorld) mine(p *refPerson, t *refTask) bool {
	role := w.roles[t.home][p.id]
	if role == "" || t.due == 0 || t.busy || t.cancelled || t.archived {
		return false
	}
	return t.assigned == p.id || t.assigned == 0 && role != "viewer"
}

func (w *refWorld) tell(p *refPerson, hour string, day int, at int64) {
	switch hour {
	case "task_due_soon_hour", "task_overdue_hour":
		for _, t := range w.tasks {
			left := t.due - day
			if !w.mine(p, t) || !refStage(t.every, t.unit, left) || (left < 0) != (hour == "task_overdue_hour") {
				continue
			}
			typ := "task_due_soon"
			if left < 0 {
				typ = "task_overdue"
			}
			w.row(p, typ, t.id, t.due, left, at, "app", "email", "push")
		}
	case "warranty_expiring_hour":
		for _, d := range w.documents {
			left, role := d.ends-day, w.roles[d.home][p.id]
			if d.ends != 0 && (role == "owner" || role == "member") && (left == 30 || left == 7 || left == 0) {
				w.row(p, "warranty_expiring", d.id, d.ends, left, at, "app", "email", "push")
			}
		}
	case "daily_digest_hour":
		anything := false
		for _, t := range w.tasks {
			anything = anything || w.mine(p, t) && w.roles[t.home][p.id] != "viewer" && t.due-day <= 6
		}
		for _, d := range w.documents {
			role := w.roles[d.home][p.id]
			anything = anything || (role == "owner" || role == "member") && d.ends-day >= 0 && d.ends-day <= 30
		}
		if anything {
			w.row(p, "daily_digest", p.id, day, 0, at, "email", "push")
		}
	}
}

// refStage returns whether a task is told of when so many days are left. A month counts as 30 days, a year as 360.
func refStage(every int, unit string, left int) bool {
	switch left {
	case 0, -1, -2, -3, -6, -9, -12:
		return true
	}
	switch days := every * map[string]int{"day": 1, "week": 7, "month": 30, "year": 360}[unit]; {
	case days >= 360:
		return left == 30 || left == 14 || left == 7
	case days >= 90:
		return left == 7 || left == 3
	case days >= 28:
		return left == 3
	case days >= 14:
		return left == 1
	}
	return false
}

func (w *refWorld) row(p *refPerson, typ string, subject int64, due, stage int, at int64, channels ...string) {
	for _, channel := range channels {
		if p.muted[typ+"."+channel] || channel == "push" && !p.device {
			continue
		}
		key := fmt.Sprintf("person %d %s %s of %d due %s at %d", p.id, channel, typ, subject, refDay(due), stage)
		if _, known := w.told[key]; !known {
			w.told[key] = time.Unix(at+24*3600, 0).UTC().Format(time.RFC3339)
		}
	}
}

func (w *refWorld) rows() []string {
	rows := make([]string, 0, len(w.told))
	for key, expires := range w.told {
		rows = append(rows, key+" expires "+expires)
	}
	return slices.Sorted(slices.Values(rows))
}

func refDay(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(dayFormat) }

// ids returns the keys of a map in their order, so that a seed always draws the same.
func ids[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A rhythm is when a schedule's ticks come. knative/schedules says so; a test holds the two against each other.
type rhythm struct {
	Name  string
	Cron  string // in UTC
	Every time.Duration
	Does  string
}

func rhythms() []rhythm {
	return []rhythm{
		{"outbox", "*/5 * * * *", 5 * time.Minute, "publishes events that nobody has confirmed"},
		{"deliveries", "*/5 * * * *", 5 * time.Minute, "sends what could not be sent at once"},
		{"reminders", "*/15 * * * *", 15 * time.Minute, "plans reminders of tasks and warranties"},
		{"digests", "0 * * * *", time.Hour, "plans the digests of the day"},
		{"uploads", "30 * * * *", time.Hour, "removes files that nobody needs"},
	}
}

// tickGrace is how long a tick may take to be noted: the broker tries again, and a function starts from nothing.
const tickGrace = 2 * time.Minute

// A schedule is what is known of one's ticks.
type schedule struct {
	Name         string      `json:"name" example:"outbox"`
	Does         string      `json:"does" doc:"What each tick does" example:"publishes events that nobody has confirmed"`
	Cron         string      `json:"cron" doc:"When its ticks come, in UTC" example:"*/5 * * * *"`
	State        string      `json:"state" enum:"on time,late,never ran" doc:"late: the tick that was due has not come" example:"on time"`
	LateSeconds  int64       `json:"late_seconds" doc:"For how long a tick has been missing; 0 while none is" example:"0"`
	LastRunAt    *time.Time  `json:"last_run_at" example:"2026-06-01T08:00:00Z"`
	FailedAt     *time.Time  `json:"failed_at" doc:"When one last failed" example:"2026-06-01T07:00:00Z"`
	PlannedUntil *time.Time  `json:"planned_until" doc:"What lies before is planned; null for those that plan nothing" example:"2026-06-01T08:00:00Z"`
	Runs         []time.Time `json:"runs" doc:"Its last ticks, newest first" example:"[\"2026-06-01T08:00:00Z\"]"`
}

const (
	onTime   = "on time"
	late     = "late"
	neverRan = "never ran"
)

func (s *service) schedules() resource {
	return resource{
		listing: list[schedule]{
			Name: schedules, Title: "Schedules", About: "What happens by the clock, and whether it does.",
			Columns: []column[schedule]{
				{"Schedule", func(k schedule) cell { return cell{Text: k.Name, Link: "/" + schedules + "/" + k.Name + "/"} }},
				{"Each tick", func(k schedule) cell { return text(k.Does) }},
				{"Comes", func(k schedule) cell { return text(k.Cron) }},
				{"State", func(k schedule) cell { return k.state() }},
				{"Last run", func(k schedule) cell { return instant(k.LastRunAt) }},
				{"Last failed", func(k schedule) cell { return instant(k.FailedAt) }},
				{"Planned until", func(k schedule) cell { return instant(k.PlannedUntil) }},
			},
			Find: s.findSchedules,
			Mark: func(_ query, k schedule) mark { return mark{Key: k.Name} },
		},
		item: one[schedule]{Name: schedules, Summary: "One schedule and its last runs", Load: s.loadSchedule, View: viewSchedule},
		acts: []act{{
			Name: "run", Title: "Run it now",
			Asks: "The schedule's tick comes now, beside those that come by themselves. Two at once do nothing twice.",
			Do:   s.runSchedule,
		}},
	}
}

func (k schedule) state() cell {
	switch k.State {
	case late:
		return cell{Text: "late by " + span(time.Duration(k.LateSeconds)*time.Second), Tone: "bad"}
	case neverRan:
		return cell{Text: k.State, Tone: "bad"}
	default:
		return cell{Text: k.State, Tone: "good"}
	}
}

// span says how long something takes, in its greatest unit.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return strconv.Itoa(int(d/day)) + " days"
	case d >= 2*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d >= 2*time.Minute:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d >= 10*time.Second:
		return strconv.Itoa(int(d/time.Second)) + " s"
	default:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
}

// A noted schedule is what the database has of one.
type noted struct {
	Name         string
	Runs         []time.Time
	FailedAt     *time.Time
	PlannedUntil *time.Time
}

const selectSchedules = `
SELECT s.name, s.runs, s.failed_at, CASE WHEN s.name <> 'deliveries' THEN n.planned_until END AS planned_until
FROM shared_schedule s LEFT JOIN notification_schedule n ON n.name = s.name`

// judge tells by the clock how those schedules stand, in the order of rhythms.
func (s *service) judge(found []noted) []schedule {
	var all []schedule
	for _, r := range rhythms() {
		k := schedule{Name: r.Name, Does: r.Does, Cron: r.Cron, State: neverRan, Runs: []time.Time{}}
		at := slices.IndexFunc(found, func(n noted) bool { return n.Name == r.Name })
		if at >= 0 {
			k.FailedAt, k.PlannedUntil = found[at].FailedAt, found[at].PlannedUntil
			k.Runs = append(k.Runs, found[at].Runs...)
		}
		if len(k.Runs) > 0 {
			k.State, k.LastRunAt = onTime, new(k.Runs[0])
			if missing := s.Now().Sub(k.Runs[0].Add(r.Every)); missing > tickGrace {
				k.State, k.LateSeconds = late, int64(missing.Seconds())
			}
		}
		all = append(all, k)
	}
	return all
}

// findSchedules returns all of them: there are five.
func (s *service) findSchedules(ctx context.Context, q query) ([]schedule, error) {
	if q.After != nil {
		return nil, nil
	}
	found, err := pg.All[noted](ctx, s.DB, selectSchedules)
	if err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	return s.judge(found), nil
}

func (s *service) loadSchedule(ctx context.Context, name string) (schedule, error) {
	all, err := s.findSchedules(ctx, query{})
	if err != nil {
		return schedule{}, err
	}
	for _, k := range all {
		if k.Name == name {
			return k, nil
		}
	}
	return schedule{}, problem.NotFound()
}

func viewSchedule(_ context.Context, k schedule) (view, error) {
	return view{
		Title: k.Name,
		Facts: []fact{
			{"Each tick", text(k.Does)},
			{"Comes", text(k.Cron + " (UTC)")},
			{"State", k.state()},
			{"Last run", instant(k.LastRunAt)},
			{"Last failed", instant(k.FailedAt)},
			{"Planned until", instant(k.PlannedUntil)},
		},
		Parts: []part{partWith("Last runs", k.Runs, column[time.Time]{"Run", func(at time.Time) cell { return instant(&at) }})},
		Acts:  []string{"run"},
	}, nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/remind"
)

// lateness is how long after its instant a message of a day is still planned, and sent.
const lateness = 24 * time.Hour

// A turn is that of some people to be told: those who chose that hour and live in that zone, on that day of theirs.
type turn struct {
	zone string
	hour int
	day  date.Date
	at   time.Time // when their clocks show it
}

// name tells t from the others of its day.
func (t turn) name() string { return fmt.Sprintf("%s %02d", t.zone, t.hour) }

// pairsOf is a recursive query, named after one of the columns with people's hours, of all zones and hours that people have. It takes
// a step for each pair, along an index, however many people share it.
func pairsOf(column string) string {
	return fmt.Sprintf(`%[1]s AS (
    SELECT '' AS zone, -1::smallint AS hour
    UNION ALL
    SELECT following.zone, following.hour FROM %[1]s CROSS JOIN LATERAL (
        SELECT coalesce(u.time_zone, 'UTC') AS zone, u.%[1]s AS hour FROM auth_user u
        WHERE (u.%[1]s, coalesce(u.time_zone, 'UTC')) > (%[1]s.hour, %[1]s.zone)
        ORDER BY u.%[1]s, coalesce(u.time_zone, 'UTC') LIMIT 1
    ) following
)`, column)
}

// selectPairs returns the query of the pairs of those columns, of until when all was planned, of where a tick stopped that ran out of
// time, and of about when the first of all people got their account. $1 is the schedule, and so is $2 where a tick is to be noted.
func selectPairs(columns ...string) string {
	queries, pairs := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		queries[i] = pairsOf(column)
		pairs[i] = fmt.Sprintf(`SELECT '%[1]s' AS hours, zone, hour FROM %[1]s WHERE hour >= 0`, column)
	}
	return `
WITH RECURSIVE ` + events.NotingTick(2) + `, ` + strings.Join(queries, ", ") + `
SELECT pair.hours, pair.zone, pair.hour, schedule.planned_until, schedule.reached::text AS reached,
    (SELECT u.created_at FROM auth_user u ORDER BY u.id LIMIT 1) AS since
FROM (` + strings.Join(pairs, " UNION ALL ") + `) pair CROSS JOIN notification_schedule schedule
WHERE schedule.name = $1`
}

type pair struct {
	Hours        string
	Zone         string
	Hour         int
	PlannedUntil time.Time
	Reached      *string
	Since        time.Time
}

// A window is what a tick plans: the turns between two instants.
type window struct {
	until   time.Time
	turns   map[string][]turn // by the column of their hour
	place   *place            // where an earlier tick stopped; nil: at no place
	reached *string           // place, as it is stored
}

// isEmpty returns whether there is nothing to plan, and nothing to note.
func (w window) isEmpty() bool { return len(w.turns) == 0 && w.reached == nil }

// window returns the turns that came behind the last tick that planned something, up to now, or up to where one was to come that
// stopped; none that came more than a day ago. Until it is somebody's turn, a tick has nothing to plan, and planned_until stays.
func (s *service) window(ctx context.Context, schedule, query string, now time.Time) (window, error) {
	pairs, err := pg.All[pair](ctx, s.db, query, schedule, events.TickToNote(ctx))
	if err != nil {
		return window{}, fmt.Errorf("look up hours: %w", err)
	}
	w := window{until: now, turns: map[string][]turn{}}
	if len(pairs) == 0 {
		return w, nil
	}
	if w.reached = pairs[0].Reached; w.reached != nil {
		if err := json.Unmarshal([]byte(*w.reached), &w.place); err != nil {
			return window{}, fmt.Errorf("read where %s stopped: %w", schedule, err)
		}
		w.until = w.place.Until
	}
	zones, earliest, lost := map[string]*time.Location{}, now.Add(-lateness), time.Duration(0)
	for _, p := range pairs {
		zone, ok := zones[p.Zone]
		if !ok {
			zone = remind.Zone(p.Zone)
			zones[p.Zone] = zone
		}
		if after, end := later(p.PlannedUntil, p.Since), earlier(earliest, w.until); len(remind.Slots(p.Hour, zone, after, end)) > 0 {
			lost = end.Sub(after)
		}
		for _, day := range remind.Slots(p.Hour, zone, later(p.PlannedUntil, earliest), w.until) {
			w.turns[p.Hours] = append(w.turns[p.Hours], turn{p.Zone, p.Hour, day, remind.At(day, p.Hour, zone)})
		}
	}
	if lost > 0 {
		s.log.WarnContext(ctx, "nobody ticked for more than a day: what was to be told before that is not told any more",
			"schedule", schedule, "hours", int(lost.Hours()))
	}
	return w, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

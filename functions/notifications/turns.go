package main

import (
	"context"
	"fmt"
	"strings"
	"time"

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

// pairsOf is a recursive query, named after one of the columns with people's hours, of all zones and hours that people have. It takes
// a step for each pair, along an index, however many people share it.
func pairsOf(column string) string {
	return fmt.Sprintf(`%[1]s AS (
    SELECT '' AS zone, -1::smallint AS hour
    UNION ALL
    SELECT following.zone, following.hour FROM %[1]s CROSS JOIN LATERAL (
        SELECT coalesce(u.time_zone, 'UTC') AS zone, u.%[1]s AS hour FROM auth_user u
        WHERE (coalesce(u.time_zone, 'UTC'), u.%[1]s) > (%[1]s.zone, %[1]s.hour)
        ORDER BY coalesce(u.time_zone, 'UTC'), u.%[1]s LIMIT 1
    ) following
)`, column)
}

// selectPairs returns the query of the pairs of those columns, and until when all was planned.
func selectPairs(columns ...string) string {
	queries, pairs := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		queries[i] = pairsOf(column)
		pairs[i] = fmt.Sprintf(`SELECT '%[1]s' AS hours, zone, hour FROM %[1]s WHERE hour >= 0`, column)
	}
	return `
WITH RECURSIVE ` + strings.Join(queries, ", ") + `
SELECT pair.hours, pair.zone, pair.hour, schedule.planned_until
FROM (` + strings.Join(pairs, " UNION ALL ") + `) pair CROSS JOIN notification_schedule schedule
WHERE schedule.name = $1`
}

type pair struct {
	Hours        string
	Zone         string
	Hour         int
	PlannedUntil time.Time
}

// turns returns, by the column of their hour, those that came behind the last tick that planned something, up to now; none that came
// more than a day ago. Until it is somebody's turn, a tick has nothing to plan, and notes nothing.
func (s *service) turns(ctx context.Context, schedule, query string, now time.Time) (map[string][]turn, error) {
	pairs, err := pg.All[pair](ctx, s.db, query, schedule)
	if err != nil {
		return nil, fmt.Errorf("look up hours: %w", err)
	}
	found, zones, lost := map[string][]turn{}, map[string]*time.Location{}, false
	for _, p := range pairs {
		zone, ok := zones[p.Zone]
		if !ok {
			zone = remind.Zone(p.Zone)
			zones[p.Zone] = zone
		}
		after := p.PlannedUntil
		if earliest := now.Add(-lateness); after.Before(earliest) {
			lost = lost || len(remind.Slots(p.Hour, zone, after, earliest)) > 0
			after = earliest
		}
		for _, day := range remind.Slots(p.Hour, zone, after, now) {
			found[p.Hours] = append(found[p.Hours], turn{p.Zone, p.Hour, day, remind.At(day, p.Hour, zone)})
		}
	}
	if lost {
		s.log.WarnContext(ctx, "nobody ticked for more than a day: what was to be told before that is not told any more",
			"schedule", schedule, "hours", int((now.Sub(pairs[0].PlannedUntil) - lateness).Hours()))
	}
	return found, nil
}

const movePlannedUntil = `UPDATE notification_schedule SET planned_until = $2::timestamptz WHERE name = $1 AND planned_until < $2::timestamptz`

// notePlanned says that everything until then is planned. A tick that is cut off before says nothing, so that the next one begins
// where it began.
func (s *service) notePlanned(ctx context.Context, schedule string, until time.Time) error {
	if _, err := s.db.Exec(ctx, movePlannedUntil, schedule, until); err != nil {
		return fmt.Errorf("note that %s are planned: %w", schedule, err)
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/recur"
)

// A reminding is one of the reasons for which people are told something at an hour that they chose.
type reminding struct {
	typ      string
	hours    string   // the column of that hour
	channels []string // those that carry it, but what a person has switched off
	subject  string   // what refs call its subject; empty when that is the person
	// candidates is a query of what people may have to be told on the day $6, where that is due as many days ahead as one of $7
	// says: for at most $5 people, by their ids and behind $4, whose zone and hour are $1 and $2, side by side, and whose turn came
	// at $3.
	candidates string
	stages     []int // from which $7 comes
	// tells returns whether one with a subject is told of that on their day.
	tells func(c candidate, day date.Date) bool
}

// A candidate is a person and what they may have to be told. Of somebody who has nothing, there is one without a subject.
type candidate struct {
	UserID      int64
	At          time.Time
	SubjectID   *int64
	ResidenceID *int64
	DueOn       *date.Date
	Every       *int
	Unit        *string
	Recurrence  *recur.Rule
}

// peopleOf is the beginning of a query of candidates: the people whose turn it is. Their zone and hour are a range of an index and no
// equations, lest PostgreSQL look for some of them among all people in the order of their ids.
func peopleOf(hours string) string {
	return fmt.Sprintf(`
WITH people AS MATERIALIZED (
    SELECT u.id, turn.at
    FROM unnest($1::text[], $2::smallint[], $3::timestamptz[]) AS turn (zone, hour, at) CROSS JOIN LATERAL (
        SELECT u.id FROM auth_user u
        WHERE (coalesce(u.time_zone, 'UTC'), u.%[1]s, u.id) > (turn.zone, turn.hour, $4::bigint)
            AND (coalesce(u.time_zone, 'UTC'), u.%[1]s) <= (turn.zone, turn.hour)
        ORDER BY coalesce(u.time_zone, 'UTC'), u.%[1]s, u.id LIMIT $5::int
    ) u
    ORDER BY u.id LIMIT $5::int
)`, hours)
}

// A statement of a tick takes a few people, of a few turns, and writes a few messages: none holds its locks for long.
const (
	turnsAtOnce     = 50
	peopleAtOnce    = 500
	remindersAtOnce = 300
)

// planTick plans what is to be told since the last tick, as things stand, and returns how many messages that made. It is harmless at
// any time, for any number of times and beside any number of others: each message is a row that is there once. whole is false when
// there was no time for all of it; what is missing the next tick plans.
func (s *service) planTick(ctx context.Context, schedule, query string, remindings []reminding) (planned int, whole bool, err error) {
	now := s.now()
	turns, err := s.turns(ctx, schedule, query, now)
	if err != nil || len(turns) == 0 {
		return 0, err == nil, err
	}
	for _, r := range remindings {
		for chunk := range chunks(turns[r.hours]) {
			n, whole, err := s.planTurns(ctx, r, chunk, now)
			planned += n
			if err != nil || !whole {
				return planned, false, err
			}
		}
	}
	return planned, true, s.notePlanned(ctx, schedule, now)
}

// chunks returns turns of the same day, a few at a time. A person has at most one in a day.
func chunks(turns []turn) iter.Seq[[]turn] {
	days := map[date.Date][]turn{}
	for _, t := range turns {
		days[t.day] = append(days[t.day], t)
	}
	return func(yield func([]turn) bool) {
		for _, day := range slices.Sorted(maps.Keys(days)) {
			for chunk := range slices.Chunk(days[day], turnsAtOnce) {
				if !yield(chunk) {
					return
				}
			}
		}
	}
}

// planTurns plans what the people whose turn it is are told. All turns are of the same day.
func (s *service) planTurns(ctx context.Context, r reminding, turns []turn, now time.Time) (planned int, whole bool, err error) {
	zones, hours, ats := make([]string, len(turns)), make([]int16, len(turns)), make([]time.Time, len(turns))
	for i, t := range turns {
		zones[i], hours[i], ats[i] = t.zone, int16(t.hour), t.at //nolint:gosec // an hour of a day
	}
	day := turns[0].day
	for after := int64(0); ; {
		if s.ending() || !s.timeLeft(ctx) {
			return planned, false, nil
		}
		found, err := pg.All[candidate](ctx, s.db, r.candidates, zones, hours, ats, after, peopleAtOnce, day, r.stages)
		if err != nil {
			return planned, false, fmt.Errorf("look up who is told %s: %w", r.typ, err)
		}
		if len(found) == 0 {
			return planned, true, nil
		}
		after = found[len(found)-1].UserID
		told := slices.DeleteFunc(found, func(c candidate) bool { return c.SubjectID == nil || !r.tells(c, day) })
		for some := range slices.Chunk(told, remindersAtOnce) {
			n, err := s.insert(ctx, r, some, day, now)
			planned += n
			if err != nil {
				return planned, false, err
			}
		}
	}
}

// Two ticks at once write the same rows in the same order, so that one waits for the other and neither for both.
const insertReminders = `
INSERT INTO notification_message (user_id, type, subject_id, occurrence_on, stage, channel, refs, next_at, expires_at, state, sent_at)
SELECT r.user_id, $1, r.subject_id, $3::date + r.stage, r.stage, c.channel,
    CASE WHEN $2 = '' THEN '{}' ELSE jsonb_build_object($2::text, r.subject_id, 'residence_id', r.residence_id) END,
    r.at, r.at + make_interval(secs => $4::float8),
    CASE WHEN c.channel = 'app' THEN 'sent' ELSE 'pending' END, CASE WHEN c.channel = 'app' THEN $5::timestamptz END
FROM unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::int[], $10::timestamptz[]) AS r (user_id, subject_id, residence_id, stage, at)
    JOIN auth_user u ON u.id = r.user_id CROSS JOIN unnest($11::text[]) AS c (channel)
WHERE NOT $1 || '.' || c.channel = ANY (u.muted)
    AND (c.channel <> 'email' OR u.email_verified_at IS NOT NULL)
    AND (c.channel <> 'push' OR EXISTS (SELECT FROM auth_device d WHERE d.user_id = u.id))
ORDER BY r.user_id, r.subject_id, r.stage, c.channel
ON CONFLICT (subject_id, type, occurrence_on, stage, user_id, channel) WHERE event_id IS NULL DO NOTHING`

// insert writes the messages that are not there yet, and returns how many.
func (s *service) insert(ctx context.Context, r reminding, told []candidate, day date.Date, now time.Time) (int, error) {
	people, subjects, homes := make([]int64, len(told)), make([]int64, len(told)), make([]*int64, len(told))
	stages, ats := make([]int, len(told)), make([]time.Time, len(told))
	for i, c := range told {
		people[i], subjects[i], homes[i], stages[i], ats[i] = c.UserID, *c.SubjectID, c.ResidenceID, int(*c.DueOn-day), c.At
	}
	for {
		tag, err := s.db.Exec(ctx, insertReminders, r.typ, r.subject, day, lateness.Seconds(), now, people, subjects, homes, stages, ats, r.channels)
		switch {
		case err == nil:
			return int(tag.RowsAffected()), nil
		case !pg.PersonGone(err): // asked again, it leaves out who has no account any more
			return 0, fmt.Errorf("plan %s: %w", r.typ, err)
		}
	}
}

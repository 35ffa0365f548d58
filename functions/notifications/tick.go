package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

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

// A candidate is a person and what they may have to be told. Of somebody who has nothing, or had no account yet when their turn came,
// there is one without a subject.
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

// peopleOf is the beginning of a query of candidates: the people whose turn it is, and whether they had an account when it came. Their
// zone and hour are a range of an index and no equations, lest PostgreSQL look for some of them among all people in the order of their
// ids; and all that is asked before they are few is in that index.
func peopleOf(hours string) string {
	return fmt.Sprintf(`
WITH people AS MATERIALIZED (
    SELECT few.id, few.at, (SELECT u.created_at <= few.at FROM auth_user u WHERE u.id = few.id) AS had_account
    FROM (
        SELECT u.id, turn.at
        FROM unnest($1::text[], $2::smallint[], $3::timestamptz[]) AS turn (zone, hour, at) CROSS JOIN LATERAL (
            SELECT u.id FROM auth_user u
            WHERE (u.%[1]s, coalesce(u.time_zone, 'UTC'), u.id) > (turn.hour, turn.zone, $4::bigint)
                AND (u.%[1]s, coalesce(u.time_zone, 'UTC')) <= (turn.hour, turn.zone)
            ORDER BY u.%[1]s, coalesce(u.time_zone, 'UTC'), u.id LIMIT $5::int
        ) u
        ORDER BY u.id LIMIT $5::int
    ) few
)`, hours)
}

// A statement of a tick takes a few people, of a few turns, and writes a few messages: none holds its locks for long.
const (
	peopleAtOnce    = 500
	remindersAtOnce = 300
)

// beforeEnd is how long before the end of its time a tick stops planning: its last batch, its place, and an event that has it go on
// at once take time too.
const beforeEnd = 5 * time.Second

// timeToPlan returns whether ctx has time for one more batch. Without a deadline, it has.
func (s *service) timeToPlan(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && !s.ending() && (!ok || time.Until(end) > beforeEnd)
}

// planTick plans what is to be told since the last tick, as things stand, and returns how many messages that made. It is harmless at
// any time, for any number of times and beside any number of others: each message is a row that is there once. whole is false when
// there was no time for all of it; the next tick goes on where this one stopped.
func (s *service) planTick(ctx context.Context, schedule, query string, remindings []reminding) (planned int, whole bool, err error) {
	now := s.now().Truncate(time.Microsecond) // as PostgreSQL keeps it
	for {
		w, err := s.window(ctx, schedule, query, now)
		if err != nil || w.isEmpty() {
			return planned, err == nil, err
		}
		n, stopped, err := s.planWindow(ctx, w, remindings, now)
		planned += n
		if stopped != nil {
			return planned, false, errors.Join(err, s.keepPlace(ctx, schedule, w, *stopped))
		}
		if err := s.notePlanned(ctx, schedule, w.until); err != nil || !w.until.Before(now) {
			return planned, err == nil, err
		}
	}
}

// planWindow plans leg after leg. Unless it came to the end, it returns the leg at which it stopped, where that is to go on.
func (s *service) planWindow(ctx context.Context, w window, remindings []reminding, now time.Time) (planned int, stopped *leg, err error) {
	for _, l := range w.legs(remindings) {
		for ended := false; !ended; {
			if !s.timeToPlan(ctx) {
				return planned, &l, nil
			}
			var n int
			n, ended, err = s.planBatch(ctx, &l, now)
			planned += n
			if err != nil {
				return planned, &l, err
			}
		}
	}
	return planned, nil, nil
}

// planBatch plans what the next people of a leg are told, and moves it on once that is written. ended is true when nobody is left.
func (s *service) planBatch(ctx context.Context, l *leg, now time.Time) (planned int, ended bool, err error) {
	zones, hours, ats := make([]string, len(l.turns)), make([]int16, len(l.turns)), make([]time.Time, len(l.turns))
	for i, t := range l.turns {
		zones[i], hours[i], ats[i] = t.zone, int16(t.hour), t.at //nolint:gosec // an hour of a day
	}
	found, err := pg.All[candidate](ctx, s.db, l.candidates, zones, hours, ats, l.after, peopleAtOnce, l.day(), l.stages)
	if err != nil {
		return 0, false, fmt.Errorf("look up who is told %s: %w", l.typ, err)
	}
	if len(found) == 0 {
		return 0, true, nil
	}
	last := found[len(found)-1].UserID
	told := slices.DeleteFunc(found, func(c candidate) bool { return c.SubjectID == nil || !l.tells(c, l.day()) })
	for some := range slices.Chunk(told, remindersAtOnce) {
		n, err := s.insert(ctx, l.reminding, some, l.day(), now)
		planned += n
		if err != nil {
			return planned, false, err
		}
	}
	l.after = last
	return planned, false, nil
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
WHERE u.disabled_at IS NULL
    AND NOT $1 || '.' || c.channel = ANY (u.muted)
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
			for _, at := range ats {
				delay.Record(ctx, now.Sub(at).Seconds(), metric.WithAttributes(attribute.String("type", r.typ)))
			}
			return int(tag.RowsAffected()), nil
		case !pg.PersonGone(err): // asked again, it leaves out who has no account any more
			return 0, fmt.Errorf("plan %s: %w", r.typ, err)
		}
	}
}

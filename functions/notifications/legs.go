package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/date"
)

// turnsAtOnce is how many turns a leg has: for each of them, a batch looks at as many people as it takes of all.
const turnsAtOnce = 50

// A leg is a part of a window: one reminding of the people of some turns, all of the same day, in the order of their names. A person
// has at most one turn in a day.
type leg struct {
	reminding
	turns []turn // at least one
	after int64  // people up to this id are planned
}

func (l leg) day() date.Date { return l.turns[0].day }

// A place is where a tick stopped that was to plan until an instant: what comes before it by then is planned. It names turns and does
// not count them, as those of people who move come and go.
type place struct {
	Until time.Time `json:"until"`
	Type  string    `json:"type"`
	Day   date.Date `json:"day"`
	First string    `json:"first"` // of the turns of a leg
	Last  string    `json:"last"`
	After int64     `json:"after"` // its people up to this id are planned
}

// at returns the place of l in w.
func (w window) at(l leg) place {
	return place{Until: w.until, Type: l.typ, Day: l.day(), First: l.turns[0].name(), Last: l.turns[len(l.turns)-1].name(), After: l.after}
}

// legs returns what is to be planned, in the order that every tick has it in, from the window's place on.
func (w window) legs(remindings []reminding) []leg {
	var from place // none: before everything
	if w.place != nil {
		if i := slices.IndexFunc(remindings, func(r reminding) bool { return r.typ == w.place.Type }); i >= 0 {
			from, remindings = *w.place, remindings[i:]
		}
	}
	var legs []leg
	for _, r := range remindings {
		var begun []turn
		fresh := map[date.Date][]turn{}
		for _, t := range w.turns[r.hours] {
			switch {
			case r.typ != from.Type || t.day > from.Day || t.day == from.Day && t.name() > from.Last:
				fresh[t.day] = append(fresh[t.day], t)
			case t.day == from.Day && t.name() >= from.First:
				begun = append(begun, t)
			}
		}
		if len(begun) > 0 {
			legs = append(legs, leg{r, byName(begun), from.After})
		}
		for _, day := range slices.Sorted(maps.Keys(fresh)) {
			for some := range slices.Chunk(byName(fresh[day]), turnsAtOnce) {
				legs = append(legs, leg{r, some, 0})
			}
		}
	}
	return legs
}

// byName sorts turns.
func byName(turns []turn) []turn {
	slices.SortFunc(turns, func(a, b turn) int { return strings.Compare(a.name(), b.name()) })
	return turns
}

// noting is how long a place may take to be stored, behind the end of a tick's time too.
const noting = 3 * time.Second

// Another tick may have planned all of it meanwhile, or have begun where this one did and stopped before it: the first place counts.
const storePlace = `
UPDATE notification_schedule SET reached = $2::jsonb
WHERE name = $1 AND planned_until < $3::timestamptz AND reached IS NOT DISTINCT FROM $4::jsonb`

// keepPlace stores where a tick of w stopped. All before it must be committed.
func (s *service) keepPlace(ctx context.Context, schedule string, w window, stopped leg) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noting)
	defer cancel()
	reached, err := json.Marshal(w.at(stopped))
	if err == nil {
		_, err = s.db.Exec(ctx, storePlace, schedule, string(reached), w.until, w.reached)
	}
	if err != nil {
		return fmt.Errorf("store where %s stopped: %w", schedule, err)
	}
	return nil
}

const movePlannedUntil = `
UPDATE notification_schedule
SET planned_until = greatest(planned_until, $2::timestamptz),
    reached = CASE WHEN (reached->>'until')::timestamptz > $2::timestamptz THEN reached END
WHERE name = $1 AND (planned_until < $2::timestamptz OR (reached->>'until')::timestamptz <= $2::timestamptz)`

// notePlanned says that everything until then is planned.
func (s *service) notePlanned(ctx context.Context, schedule string, until time.Time) error {
	if _, err := s.db.Exec(ctx, movePlannedUntil, schedule, until); err != nil {
		return fmt.Errorf("note that %s are planned: %w", schedule, err)
	}
	return nil
}

package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var yearSeed = flag.Uint64("yearseed", 0, "draws the story of the year; 0: a random one")

// TestYear: over a year of ticks, of which some do not come, come twice, come twice at once or are cut off, while people do what they do, the
// messages planned are those of the reference, to the row.
func TestYear(t *testing.T) {
	t.Parallel()
	seed := *yearSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -yearseed=%d", seed)
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	k := newTicker(t, start)
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, start)
	s := &story{Server: k.Server, refWorld: newRefWorld(start), r: rand.New(rand.NewPCG(seed, 0))}
	s.at(start)
	s.begin(t)
	outage := start.Add(time.Duration(s.r.IntN(300*96)) * 15 * time.Minute)
	ticks, missed := 0, 0
	for now := start.Add(15 * time.Minute); !now.After(start.AddDate(1, 0, 0)); now = now.Add(15 * time.Minute) {
		s.at(now)
		if s.r.IntN(10) == 0 {
			s.step(t)
		}
		k.now = now
		schedules := []string{"reminders"}
		if now.Minute() == 0 {
			schedules = append(schedules, "digests")
		}
		for _, schedule := range schedules {
			ticks++
			luck := s.r.IntN(100)
			if luck < 5 || now.After(outage) && now.Before(outage.Add(30*time.Hour)) {
				missed++
				continue
			}
			k.tickSomehow(t, schedule, luck, s.r)
			s.tick(schedule, now)
		}
	}
	rows, err := k.Owner.Query(t.Context(), `
		SELECT 'person ' || user_id || ' ' || channel || ' ' || type || ' of ' || subject_id || ' due ' || occurrence_on || ' at ' || stage
		    || ' expires ' || to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
		FROM notification_message`)
	require.NoError(t, err)
	have, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	slices.Sort(have)
	require.Equal(t, s.rows(), have)

	count := map[string]int{}
	for _, row := range have {
		words := strings.Fields(row)
		count[words[3]+" "+words[2]]++
	}
	t.Logf("%d ticks, %d missed, %d messages: %v", ticks, missed, len(have), count)
	for _, typ := range []string{typeDueSoon, typeOverdue, typeWarranty, typeDigest} {
		for _, channel := range []string{channelEmail, channelPush} {
			require.Greater(t, count[typ+" "+channel], 50, "too few to show anything")
		}
	}
	require.Contains(t, k.log.String(), "nobody ticked for more than a day")
}

// tickSomehow ticks, mostly once.
func (k *ticker) tickSomehow(t *testing.T, schedule string, luck int, r *rand.Rand) {
	t.Helper()
	switch luck {
	case 5, 6: // twice at once
		var group sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			group.Go(func() { _, _, errs[i] = k.plan(t.Context(), schedule) })
		}
		group.Wait()
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
	case 7: // cut off, or out of time, and once more
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(5000))*time.Microsecond+pick(r, []time.Duration{0, beforeEnd}))
		defer cancel()
		_, _, _ = k.plan(ctx, schedule)
		k.tick(t, schedule)
	case 8, 9:
		k.tick(t, schedule)
		k.tick(t, schedule)
	default:
		k.tick(t, schedule)
	}
}

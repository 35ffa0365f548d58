package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/remind"
)

// A step of a plan, as EXPLAIN tells it.
type step struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Cond     string  `json:"Index Cond"`
	Loops    float64 `json:"Actual Loops"`
	Rows     float64 `json:"Actual Rows"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Plans    []step
}

// read returns how many rows of tables a plan reads, and fails on a table that it reads by anything but a condition on an index.
func (s step) read(t *testing.T, text string) float64 {
	t.Helper()
	var rows float64
	if s.Relation != "" && !slices.Contains([]string{"notification_schedule", "shared_schedule", "task_frequency"}, s.Relation) {
		require.Contains(t, []string{"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, s.Type, text)
		require.True(t, s.Cond != "" || s.Type == "Bitmap Heap Scan" || s.Rows*s.Loops <= 1, "%s without a condition: %s", s.Relation, text)
		rows = max(s.Rows+s.Removed, 1) * s.Loops
	}
	for _, below := range s.Plans {
		rows += below.read(t, text)
	}
	return rows
}

// TestTickPlans: a tick reads what it plans, whoever else there is; planned for its values, and for any.
func TestTickPlans(t *testing.T) {
	t.Parallel()
	k := newTicker(t, nine)
	k.Crowd(t)
	k.Exec(t, `
		UPDATE auth_user SET time_zone = (ARRAY['Europe/Berlin', 'Asia/Kathmandu', 'America/New_York'])[1 + id % 4], task_due_soon_hour = id / 4 % 24`)
	k.Exec(t, `VACUUM auth_user`)
	k.Exec(t, `ANALYZE`)
	day := date.In(nine, time.UTC)
	candidates := func(stages []int) []any {
		return []any{[]string{"UTC", "Europe/Berlin"}, []int16{9, 8}, []time.Time{nine, nine}, int64(1000), peopleAtOnce, day, stages}
	}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		for _, c := range []struct {
			name, sql string
			most      float64 // rows read
			args      []any
		}{
			{"pairs of reminders", reminderPairs, 2000, []any{"reminders", "reminders"}},
			{"pairs of digests", digestPairs, 200, []any{"digests", "digests"}},
			{"due soon", tasksOf(dueSoonHour), 60 * peopleAtOnce, candidates(remind.Ahead())},
			{"overdue", tasksOf(overdueHour), 60 * peopleAtOnce, candidates(remind.Behind())},
			{"warranties", selectWarranties, 60 * peopleAtOnce, candidates(remind.Warranty())},
			{"digests", selectDigests, 60 * peopleAtOnce, candidates([]int{0})},
			{"digest", selectDigest, 500, []any{int64(77), day, linesOfDigest}},
		} {
			tx := k.Begin(t)
			_, err := tx.Exec(t.Context(), `SET LOCAL plan_cache_mode = `+mode)
			require.NoError(t, err)
			var text string
			require.NoError(t, tx.QueryRow(t.Context(), `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) `+c.sql, c.args...).Scan(&text), c.name)
			require.NoError(t, tx.Rollback(t.Context()))
			var plans []struct {
				Plan          step
				PlanningTime  float64 `json:"Planning Time"`
				ExecutionTime float64 `json:"Execution Time"`
			}
			require.NoError(t, json.Unmarshal([]byte(text), &plans))
			read := plans[0].Plan.read(t, c.name+": "+text)
			t.Logf("%-20s %-18s %6.0f rows read, planned in %.1f ms, executed in %.1f ms", c.name, mode, read, plans[0].PlanningTime, plans[0].ExecutionTime)
			require.Less(t, read, c.most, "%s: %s", c.name, text)
		}
	}
}

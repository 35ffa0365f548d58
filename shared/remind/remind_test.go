package remind_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/recur"
	"github.com/honeydue/backend/shared/remind"
)

func TestStages(t *testing.T) {
	t.Parallel()
	late := []int{-1, -2, -3, -6, -9, -12}
	year, quarter, month, fortnight, none := []int{30, 14, 7, 0}, []int{7, 3, 0}, []int{3, 0}, []int{1, 0}, []int{0}
	for _, c := range []struct {
		every int
		unit  recur.Unit
		want  []int
	}{
		{0, "", none},
		{1, recur.Day, none}, {13, recur.Day, none}, {14, recur.Day, fortnight}, {27, recur.Day, fortnight}, {28, recur.Day, month},
		{89, recur.Day, month}, {90, recur.Day, quarter}, {359, recur.Day, quarter}, {360, recur.Day, year}, {9999, recur.Day, year},
		{1, recur.Week, none}, {2, recur.Week, fortnight}, {3, recur.Week, fortnight}, {4, recur.Week, month}, {12, recur.Week, month},
		{13, recur.Week, quarter}, {51, recur.Week, quarter}, {52, recur.Week, year},
		{1, recur.Month, month}, {2, recur.Month, month}, {3, recur.Month, quarter}, {6, recur.Month, quarter}, {11, recur.Month, quarter},
		{12, recur.Month, year}, {24, recur.Month, year},
		{1, recur.Year, year}, {9999, recur.Year, year},
	} {
		r := remind.Rhythm{Every: c.every, Unit: c.unit}
		require.Equal(t, slices.Concat(c.want, late), remind.Stages(r), "%v", r)
		for _, s := range c.want {
			require.Contains(t, remind.Ahead(), s)
		}
	}
	require.Equal(t, late, remind.Behind())
}

func TestStage(t *testing.T) {
	t.Parallel()
	due := date.Of(2026, time.March, 1)
	monthly := remind.Rhythm{Every: 1, Unit: recur.Month}
	stages := map[date.Date]int{}
	for day := due - 40; day < due+40; day++ {
		if stage, ok := remind.Stage(due, day, monthly); ok {
			stages[day] = stage
		}
	}
	require.Equal(t, map[date.Date]int{due - 3: 3, due: 0, due + 1: -1, due + 2: -2, due + 3: -3, due + 6: -6, due + 9: -9, due + 12: -12}, stages)
	require.Equal(t, notice.TaskDueSoon, remind.Type(0))
	require.Equal(t, notice.TaskOverdue, remind.Type(-1))
}

func TestRhythmOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, remind.Rhythm{}, remind.RhythmOf(nil, nil, nil))
	require.Equal(t, remind.Rhythm{Every: 2, Unit: recur.Week}, remind.RhythmOf(nil, new(2), new("week")))
	require.Equal(t, remind.Rhythm{Every: 5, Unit: recur.Day}, remind.RhythmOf(&recur.Rule{Every: 5, Unit: recur.Day}, new(2), new("week")))
}

// TestNext: asked at every hour, the answer is the first of all reminders that has not passed.
func TestNext(t *testing.T) {
	t.Parallel()
	due, yearly := date.Of(2026, time.October, 25), remind.Rhythm{Every: 1, Unit: recur.Year} // the day that clocks go back in Europe
	hours := remind.Hours{DueSoon: 2, Overdue: 21}
	for _, name := range zones() {
		zone := remind.Zone(name)
		var last remind.Reminder
		seen := []int{}
		for now := due.AddDays(-32).Time(); now.Before(due.AddDays(14).Time()); now = now.Add(time.Hour) {
			next, ok := remind.Next(due, yearly, hours, zone, now)
			if !ok {
				require.Equal(t, -12, last.Stage)
				break
			}
			require.True(t, next.At.After(now))
			if next != last {
				seen, last = append(seen, next.Stage), next
			}
			hour := 2
			if next.Stage < 0 {
				hour = 21
			}
			require.Equal(t, remind.At(due.AddDays(-next.Stage), hour, zone), next.At)
		}
		require.Equal(t, remind.Stages(yearly), seen, name)
	}
}

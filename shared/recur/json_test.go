package recur_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

func TestRuleIsWrittenAsTheAPISaysIt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"every":3,"unit":"month","from":"completion","on":{"last_day":true},"season":{"from":"04-01","to":"10-31"},"missed":"roll"}`,
		`{"every":1,"unit":"year","from":"due_date","on":{"weekday":"tuesday","nth":-1},"season":{"from":"11-01","to":"02-29"},"missed":"keep"}`,
		`{"every":2,"unit":"week","from":"due_date","missed":"keep"}`,
	} {
		var rule recur.Rule
		require.NoError(t, json.Unmarshal([]byte(text), &rule))
		require.NoError(t, rule.Validate())
		written, err := json.Marshal(rule.WithDefaults())
		require.NoError(t, err)
		require.Equal(t, text, string(written), "the order of the fields is the same, too")
	}
	require.Equal(t,
		recur.Rule{Every: 2, Unit: recur.Week, From: recur.FromDueDate, Missed: recur.Keep},
		recur.Rule{Every: 2, Unit: recur.Week}.WithDefaults())
}

func TestMonthDayIsWrittenWithTwoDigitsEach(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "4-1", "04-1", "0401", "04/01", "04-01 ", " 4-01", "-4-01", "٠4-01", "2026-04-01", "a4-01", "04-0b"} {
		require.Error(t, new(recur.MonthDay).UnmarshalText([]byte(text)), text)
	}
	for _, day := range []recur.MonthDay{{Month: 100, Day: 1}, {Month: 1, Day: 100}, {Month: -1, Day: 1}, {Month: 1, Day: -1}} {
		_, err := day.MarshalText()
		require.Error(t, err)
	}
	text, err := recur.MonthDay{Month: time.April, Day: 1}.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "04-01", string(text))
}

func TestRuleIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := rules().Draw(t, "rule")
		written, err := json.Marshal(rule)
		require.NoError(t, err)
		var read recur.Rule
		require.NoError(t, json.Unmarshal(written, &read))
		require.Equal(t, rule, read)
	})
}

// FuzzRule reads what anybody may send. A rule that is valid is read again as it was written, and has a next date.
func FuzzRule(f *testing.F) {
	f.Add([]byte(`{"every":3,"unit":"month","from":"completion","on":{"last_day":true},"season":{"from":"04-01","to":"10-31"},"missed":"roll"}`))
	f.Add([]byte(`{"every":1,"unit":"year","on":{"weekday":"tuesday","nth":5},"season":{"from":"11-01","to":"02-29"}}`))
	f.Add([]byte(`{"every":-1,"unit":"","on":{},"season":{"from":"02-30","to":"00-00"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rule recur.Rule
		if json.Unmarshal(data, &rule) != nil {
			return
		}
		today := date.Of(2026, time.November, 21)
		series := recur.Series{Rule: &rule, Anchor: &today, Due: &today}
		next, ok := series.Next(recur.Completed, today)
		if rule.Validate() != nil {
			return
		}
		if ok && next <= today {
			t.Fatalf("%s is next after %s", next, today)
		}
		written, err := json.Marshal(rule)
		require.NoError(t, err)
		var read recur.Rule
		require.NoError(t, json.Unmarshal(written, &read))
		require.Equal(t, rule, read)
	})
}

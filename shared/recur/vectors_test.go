package recur_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// vectors is testdata/vectors.json, which says what its parts mean. Its answers were found without this package.
type vectors struct {
	About []string `json:"about"`
	Next  []struct {
		Name   string      `json:"name"`
		Rule   *recur.Rule `json:"rule"`
		Anchor *date.Date  `json:"anchor"`
		Due    *date.Date  `json:"due"`
		Event  recur.Event `json:"event"`
		Day    date.Date   `json:"day"`
		Next   *date.Date  `json:"next"`
	} `json:"next"`
	Occurrences []struct {
		Name        string      `json:"name"`
		Rule        *recur.Rule `json:"rule"`
		Anchor      *date.Date  `json:"anchor"`
		Due         *date.Date  `json:"due"`
		Today       date.Date   `json:"today"`
		N           int         `json:"n"`
		Occurrences []date.Date `json:"occurrences"`
	} `json:"occurrences"`
	First []struct {
		Name  string     `json:"name"`
		Rule  recur.Rule `json:"rule"`
		Day   date.Date  `json:"day"`
		First date.Date  `json:"first"`
	} `json:"first"`
	Refused []struct {
		Name  string     `json:"name"`
		Rule  recur.Rule `json:"rule"`
		Field string     `json:"field"`
	} `json:"refused"`
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&v))
	return v
}

// answer is a date or null, as JSON has it.
func answer(d date.Date, ok bool) string {
	if !ok {
		return "null"
	}
	return d.String()
}

func TestVectorsNext(t *testing.T) {
	t.Parallel()
	cases := load(t).Next
	require.GreaterOrEqual(t, len(cases), 300)
	names := map[string]bool{}
	for _, c := range cases {
		require.False(t, names[c.Name], "two cases have the name %s", c.Name)
		names[c.Name] = true
		if c.Rule != nil {
			require.NoError(t, c.Rule.Validate(), c.Name)
		}
		want := "null"
		if c.Next != nil {
			want = c.Next.String()
		}
		series := recur.Series{Rule: c.Rule, Anchor: c.Anchor, Due: c.Due}
		require.Equal(t, want, answer(series.Next(c.Event, c.Day)), c.Name)
		require.Equal(t, want, answer(walk(series, c.Event, c.Day)), "%s, day by day", c.Name)
	}
}

func TestVectorsOccurrences(t *testing.T) {
	t.Parallel()
	for _, c := range load(t).Occurrences {
		series := recur.Series{Rule: c.Rule, Anchor: c.Anchor, Due: c.Due}
		require.Equal(t, c.Occurrences, series.Occurrences(c.Today, c.N), c.Name)
	}
}

func TestVectorsFirst(t *testing.T) {
	t.Parallel()
	for _, c := range load(t).First {
		require.NoError(t, c.Rule.Validate(), c.Name)
		require.Equal(t, c.First.String(), answer(c.Rule.First(c.Day)), c.Name)
	}
}

func TestVectorsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range load(t).Refused {
		var refused *recur.FieldError
		require.ErrorAs(t, c.Rule.Validate(), &refused, c.Name)
		require.Equal(t, c.Field, refused.Field, c.Name)
		require.Equal(t, refused.Field+": "+refused.Message, refused.Error(), c.Name)
	}
}

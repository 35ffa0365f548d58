package date_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
)

func TestDate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "2026-11-21", "9999-12-31"} {
		d, err := date.Parse(text)
		require.NoError(t, err)
		require.Equal(t, text, d.String())
		encoded, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, `"`+text+`"`, string(encoded))
		var back, scanned date.Date
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.NoError(t, scanned.Scan(d.Time()))
		require.Equal(t, d, back)
		require.Equal(t, d, scanned)
		var read date.Date
		require.NoError(t, read.ScanText(pgtype.Text{String: text, Valid: true}))
		require.Equal(t, d, read)
	}
	for _, text := range []string{"", "2023-02-29", "2026-1-1", "26-01-01", "2026-01-01T00:00:00Z", "10000-01-01", "0000-01-01"} {
		_, err := date.Parse(text)
		require.Error(t, err, text)
	}
	require.Equal(t, "2024-03-01", date.Of(2024, time.February, 29).AddDays(1).String())
	require.Error(t, new(date.Date).Scan(7))
	require.Error(t, new(date.Date).ScanText(pgtype.Text{}))
	require.Error(t, new(date.Date).ScanText(pgtype.Text{String: "infinity", Valid: true}))
}

func TestTheSameInstantIsTwoDates(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC)
	require.Equal(t, "2026-11-22", date.In(at, time.FixedZone("east", 14*3600)).String())
	require.Equal(t, "2026-11-21", date.In(at, time.FixedZone("west", -12*3600)).String())
}

func FuzzParse(f *testing.F) {
	f.Add("2024-02-29")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := date.Parse(text)
		if err == nil && d.String() != text {
			t.Fatalf("%q is read as %s", text, d)
		}
	})
}

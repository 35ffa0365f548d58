package recur

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
)

// TestMonthsAreThoseOfTheTimePackage looks at every day of the calendar.
func TestMonthsAreThoseOfTheTimePackage(t *testing.T) {
	t.Parallel()
	for d := date.Of(0, time.January, 1); d <= beyond.AddDays(800); d++ {
		year, of, want := d.Time().Date()
		m, day := monthOf(d)
		if int(m) != year*12+int(of)-1 || day != want || m.first() != d.AddDays(1-day) || m.on(day) != d || yearOf(d) != year {
			require.Equal(t, d.String(), m.on(day).String())
			require.Fail(t, "not the month of its date", "%s", d)
		}
	}
}

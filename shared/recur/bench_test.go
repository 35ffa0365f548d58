package recur_test

import (
	"testing"
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// BenchmarkNext completes a task of each kind a day, and that and 10 and 1,000 years, after its date. The times of a kind
// are to be alike, and each below 500 ns.
func BenchmarkNext(b *testing.B) {
	for _, k := range kinds() {
		for _, late := range []struct {
			name string
			day  date.Date
		}{
			{"a day late", date.Of(2016, time.February, 1)},
			{"10 years late", date.Of(2026, time.February, 1)},
			{"1000 years late", date.Of(3016, time.February, 1)},
		} {
			b.Run(k.name+"/"+late.name, func(b *testing.B) {
				s := series(k.rule)
				b.ReportAllocs()
				for b.Loop() {
					s.Next(recur.Completed, late.day)
				}
			})
		}
	}
}

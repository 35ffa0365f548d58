package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	manifests "github.com/honeydue/backend/knative"
)

// A day is what happens in one on average.
type day struct {
	sessions float64
	wakes    map[string]float64 // times that a function wakes
	awake    map[string]float64 // hours that it has a pod
	database float64            // hours that PostgreSQL is awake
}

// sum adds up what is by function.
func sum(by map[string]float64) (all float64) {
	for _, n := range by {
		all += n
	}
	return all
}

// live has so many households live for some days, always the same ones, with the schedules, windows and least pods of the manifests.
func live(m *manifests.Manifests, households int) (d day, err error) {
	d = day{sessions: sessionsADay * float64(households), wakes: map[string]float64{}, awake: map[string]float64{}}
	draw := rand.New(rand.NewPCG(4711, uint64(households)))
	sessions := sessionsOf(draw, int(d.sessions*simulated))
	var asked []time.Duration // the database
	for _, f := range m.Functions {
		share, known := sessionsThatNeed[f.Name]
		if !known {
			return d, fmt.Errorf("nobody says how many sessions need %s", f.Name)
		}
		var calls []time.Duration
		for _, began := range sessions {
			if draw.Float64() < share {
				calls = append(calls, began, began+sessionLasts/2, began+sessionLasts)
			}
		}
		for _, s := range schedulesOf(m, f) {
			minutes, err := minutesOf(s.Spec.Schedule)
			if err != nil {
				return d, fmt.Errorf("%s: %w", s.Name, err)
			}
			for hour := range simulated * 24 {
				for _, minute := range minutes {
					calls = append(calls, time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute)
				}
			}
		}
		asked = append(asked, calls...)
		if f.MinScale > 0 {
			d.awake[f.Name] = 24 * float64(f.MinScale)
			continue
		}
		wakes, awake := wakeUps(calls, f.Idle)
		d.wakes[f.Name], d.awake[f.Name] = float64(wakes)/simulated, awake.Hours()/simulated
	}
	_, awake := wakeUps(asked, databaseStays)
	d.database = awake.Hours() / simulated
	return d, nil
}

// sessionsOf draws when sessions begin, since the first day began.
func sessionsOf(draw *rand.Rand, n int) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Duration(draw.IntN(simulated))*24*time.Hour + time.Duration(hourOf(draw))*time.Hour + time.Duration(draw.Int64N(int64(time.Hour)))
	}
	return all
}

// hourOf draws one of the day's hours.
func hourOf(draw *rand.Rand) int {
	var whole float64
	for _, weight := range hours {
		whole += weight
	}
	left := draw.Float64() * whole
	for hour, weight := range hours {
		if left -= weight; left < 0 {
			return hour
		}
	}
	return len(hours) - 1
}

// wakeUps returns how often something wakes that falls asleep so long after the last call, and how long it is awake.
func wakeUps(calls []time.Duration, window time.Duration) (times int, awake time.Duration) {
	slices.Sort(calls)
	var until time.Duration
	for i, at := range calls {
		if i == 0 || at > until {
			times++
			until = at
		}
		awake += at + window - until
		until = at + window
	}
	return times, awake
}

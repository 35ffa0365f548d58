// Package turns has callers ask again as soon as they are answered, and compares sides that took turns on the same machine, so that
// their ratio counts and not the machine's mood.
package turns

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Run is what one side did in one turn.
type Run struct {
	Took  time.Duration
	Times []time.Duration // of each answer, sorted
}

// Done is how many were answered.
func (r Run) Done() int { return len(r.Times) }

// Rate is how many were answered in a second.
func (r Run) Rate() float64 { return float64(r.Done()) / r.Took.Seconds() }

// Percentile returns the milliseconds that so many of 100 answers did not exceed.
func (r Run) Percentile(of100 int) float64 {
	return r.Times[len(r.Times)*of100/100].Seconds() * 1000
}

// Ask has so many callers ask side by side, each until ask says that there is no more, or fails. ask returns how long the answer took.
// A run without any answer is an error.
func Ask(callers int, ask func() (took time.Duration, more bool, err error)) (Run, error) {
	times, errs := make([][]time.Duration, callers), make([]error, callers)
	began := time.Now()
	var asking sync.WaitGroup
	for i := range callers {
		asking.Go(func() {
			for {
				took, more, err := ask()
				if err != nil || !more {
					errs[i] = err
					return
				}
				times[i] = append(times[i], took)
			}
		})
	}
	asking.Wait()
	r := Run{Took: time.Since(began), Times: slices.Concat(times...)}
	slices.Sort(r.Times)
	err := errors.Join(errs...)
	if err == nil && r.Done() == 0 {
		err = errors.New("nothing was done in time")
	}
	return r, err
}

// A Ratio is the median of those of all rounds, with the least and the greatest.
type Ratio struct{ Median, Least, Greatest float64 }

func (r Ratio) String() string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", r.Median, r.Least, r.Greatest)
}

// Compare divides a figure of each run of ours by that of the limit's run in the same round.
func Compare[R any](ours, limit []R, figure func(R) float64) Ratio {
	all := make([]float64, len(ours))
	for i := range all {
		all[i] = figure(ours[i]) / figure(limit[i])
	}
	return Ratio{middle(all), slices.Min(all), slices.Max(all)}
}

// Median returns that of a figure of all runs.
func Median[R any](runs []R, figure func(R) float64) float64 {
	all := make([]float64, len(runs))
	for i, r := range runs {
		all[i] = figure(r)
	}
	return middle(all)
}

// middle is the median, which is between the two in the middle where there are two.
func middle(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

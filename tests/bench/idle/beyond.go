package main

import (
	"context"
	"errors"
	"time"
)

// during watches while something is done, and until enough says so.
func (b *bench) during(ctx context.Context, do func() error, enough func(*watched) bool) (*watched, error) {
	w, ended := b.watch(), make(chan error, 1)
	go func() { ended <- do() }()
	done, failed := false, error(nil)
	err := w.until(ctx, func() bool {
		select {
		case failed = <-ended:
			done = true
		default:
		}
		return failed != nil || done && enough(w)
	})
	if !done {
		failed = <-ended // ctx has ended, which do sees as well
	}
	return w, errors.Join(err, failed)
}

// beyond returns by group what was spent beyond what is spent when nothing happens.
func (w *watched) beyond(quiet *watched) map[string]time.Duration {
	sums := map[string]time.Duration{}
	for p, d := range w.all.spent {
		sums[p.group] += d
	}
	for p, d := range quiet.calm.spent {
		sums[p.group] -= time.Duration(float64(d) / quiet.calm.took.Seconds() * w.all.took.Seconds())
	}
	return sums
}

func share(sums map[string]time.Duration, of int) map[string]time.Duration {
	for group := range sums {
		sums[group] /= time.Duration(of)
	}
	return sums
}

// onNodes sums up what is spent on the nodes that are paid for.
func onNodes(sums map[string]time.Duration) (sum time.Duration) {
	for group, d := range sums {
		if (part{group: group}).inProduction() {
			sum += d
		}
	}
	return sum
}

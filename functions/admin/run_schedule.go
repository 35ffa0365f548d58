package main

import (
	"context"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A run is what the audit log has of one that an operator asked for: when the last one was, and when they asked.
type (
	ranAt struct {
		LastRunAt *time.Time `json:"last_run_at"`
	}
	askedAt struct {
		AskedAt time.Time `json:"asked_at"`
	}
)

// brokerWithin leaves of the time that an answer may take what the panel needs to say that the broker is away.
const brokerWithin = 3 * time.Second

// runSchedule has a tick come now. The audit log has it before the broker is asked, whatever becomes of that: what was asked of another
// machine cannot be taken back.
func (s *service) runSchedule(ctx context.Context, in acting) (entry, error) {
	k, err := s.loadSchedule(ctx, in.ID)
	if err != nil {
		return entry{}, err
	}
	done := entry{"run", schedules + "/" + k.Name, ranAt{k.LastRunAt}, askedAt{s.moment()}}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error { return s.record(ctx, tx, operatorOf(ctx).ID, done) })
	if err != nil {
		return entry{}, fmt.Errorf("run schedule %s: %w", k.Name, err)
	}
	asking, cancel := context.WithTimeout(ctx, brokerWithin)
	defer cancel()
	if err := s.publisher.Ping(asking, k.Name, s.Now()); err != nil {
		away := problem.Unavailable()
		away.Detail = "The broker did not take the tick. The audit log has your try, and the next tick comes by itself. Try again in a minute; if that fails too, see whether the broker runs."
		return entry{}, fmt.Errorf("run schedule %s: %w: %w", k.Name, away, err)
	}
	return done, nil
}

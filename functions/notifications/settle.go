package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxAttempts is how often a message is tried before it is dead.
const maxAttempts = 12

// A failed message waits firstPause, then twice as long each time, up to lastPause.
const (
	firstPause = 30 * time.Second
	lastPause  = time.Hour
)

// pause returns how long a message waits after that many attempts: up to a quarter less than its step, so that
// messages which failed together do not come back together.
func pause(attempts int) time.Duration {
	step := min(firstPause<<min(attempts-1, 20), lastPause)
	return step - rand.N(step/4) //nolint:gosec // spreads load, guards nothing
}

// A settlement is what becomes of a message after an attempt.
type settlement struct {
	state  string // sent, pending or dead
	reason string // without any address
	pause  time.Duration
}

func settlementOf(m message, err error) settlement {
	if err == nil {
		return settlement{state: "sent"}
	}
	var f *failure
	switch {
	case errors.As(err, &f) && f.permanent:
		return settlement{state: "dead", reason: err.Error()}
	case m.Attempts >= maxAttempts:
		return settlement{state: "dead", reason: "attempts are used up: " + err.Error()}
	default:
		return settlement{state: "pending", reason: err.Error(), pause: pause(m.Attempts)}
	}
}

// A message that the server took is sent, whoever holds it by now. Any other outcome counts only while the claim does.
const settleMessage = `
UPDATE notification_message
SET state = $3, last_error = nullif($4, ''), lease_until = NULL,
    next_at = now() + make_interval(secs => $5::float8),
    sent_at = CASE WHEN $3 = 'sent' THEN now() END
WHERE id = $1::bigint AND (state = 'sending' AND attempts = $2::int OR $3 = 'sent' AND state <> 'sent')`

const settlePause = 200 * time.Millisecond

// settle notes the outcome, again and again while ctx lasts: a message that went out must not go out twice for a
// connection that broke.
func (s *service) settle(ctx context.Context, m message, o settlement) error {
	for {
		_, err := s.db.Exec(ctx, settleMessage, m.ID, m.Attempts, o.state, o.reason, o.pause.Seconds())
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("settle message %d: %w", m.ID, err)
		case <-time.After(settlePause):
		}
	}
}

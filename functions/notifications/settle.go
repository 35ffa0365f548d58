package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// maxAttempts is how often a message is tried before it is dead.
const maxAttempts = 12

// A failed message waits firstPause, then twice as long each time, up to lastPause; longer only when a provider says so, and
// never longer than longestWait.
const (
	firstPause  = 30 * time.Second
	lastPause   = time.Hour
	longestWait = 24 * time.Hour
)

// pause returns how long a message waits after that many attempts: up to a quarter less than its step, so that
// messages which failed together do not come back together.
func pause(attempts int) time.Duration {
	step := min(firstPause<<min(attempts-1, 20), lastPause)
	return step - rand.N(step/4) //nolint:gosec // spreads load, guards nothing
}

// A settlement is what becomes of a message after an attempt.
type settlement struct {
	state     string // sent, pending or dead
	reason    string // without any address
	pause     time.Duration
	uncounted bool    // it was no attempt after all
	took      []int64 // devices that a push reached
	inDoubt   bool    // whoever takes it may have it all the same: another try may double it
	moot      bool    // dead, and nobody failed: there was nothing to send any more
}

func settlementOf(m message, err error) settlement {
	if err == nil {
		return settlement{state: "sent"}
	}
	var f *failure
	if errors.As(err, &f) && f.permanent {
		return settlement{state: "dead", reason: err.Error()}
	}
	inDoubt := f != nil && f.inDoubt
	if m.Attempts >= maxAttempts {
		return settlement{state: "dead", reason: "attempts are used up: " + err.Error(), inDoubt: inDoubt}
	}
	wait := pause(m.Attempts)
	if f != nil {
		wait = max(wait, min(f.wait, longestWait))
	}
	return settlement{state: "pending", reason: err.Error(), pause: wait, inDoubt: inDoubt}
}

// A message that was taken is sent, whoever holds it by now. Any other outcome counts only while the claim does; which devices
// a push reached counts always.
const settleMessage = `
UPDATE notification_message
SET state = CASE WHEN counts THEN $3 ELSE state END,
    last_error = CASE WHEN counts THEN nullif($4, '') ELSE last_error END,
    lease_until = CASE WHEN counts THEN NULL ELSE lease_until END,
    next_at = CASE WHEN counts THEN now() + make_interval(secs => $5::float8) ELSE next_at END,
    attempts = attempts - CASE WHEN counts AND $6::boolean THEN 1 ELSE 0 END,
    sent_at = CASE WHEN counts AND $3 = 'sent' THEN now() ELSE sent_at END,
    devices = devices || $7::bigint[]
FROM (
    SELECT id AS held, state = 'sending' AND attempts = $2::int OR $3 = 'sent' AND state <> 'sent' AS counts
    FROM notification_message WHERE id = $1::bigint FOR UPDATE
) now_held
WHERE id = held`

const settlePause = 200 * time.Millisecond

// settle notes the outcome, again and again while ctx lasts: a message that went out must not go out twice for a
// connection that broke.
func (s *service) settle(ctx context.Context, m message, o settlement) error {
	took := o.took
	if took == nil {
		took = []int64{}
	}
	for {
		_, err := s.db.Exec(ctx, settleMessage, m.ID, m.Attempts, o.state, o.reason, o.pause.Seconds(), o.uncounted, took)
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

const releaseMessages = `
UPDATE notification_message m
SET state = 'pending', attempts = m.attempts - 1, lease_until = NULL
FROM unnest($1::bigint[], $2::int[]) AS held (id, attempts)
WHERE m.id = held.id AND m.state = 'sending' AND m.attempts = held.attempts`

// release gives messages back that were claimed and not begun, in the order in which an account that goes takes its own along.
func (s *service) release(ctx context.Context, messages []message) error {
	ctx, cancel := context.WithTimeout(ctx, s.deadline/2)
	defer cancel()
	slices.SortFunc(messages, func(a, b message) int { return cmp.Compare(a.ID, b.ID) })
	ids, attempts := make([]int64, len(messages)), make([]int, len(messages))
	for i, m := range messages {
		ids[i], attempts[i] = m.ID, m.Attempts
	}
	if _, err := s.db.Exec(ctx, releaseMessages, ids, attempts); err != nil {
		return fmt.Errorf("release messages: %w", err)
	}
	return nil
}

const dropDevices = `
DELETE FROM auth_device d USING unnest($1::bigint[], $2::timestamptz[]) AS gone (id, registered_at)
WHERE d.id = gone.id AND d.registered_at <= gone.registered_at`

// drop forgets devices that their provider does not know any more, but those that were registered again meanwhile. It returns how many
// it forgot.
func (s *service) drop(ctx context.Context, gone []device) (int, error) {
	ids, registered := make([]int64, len(gone)), make([]time.Time, len(gone))
	for i, d := range gone {
		ids[i], registered[i] = d.ID, d.RegisteredAt
	}
	tag, err := s.db.Exec(ctx, dropDevices, ids, registered)
	if err != nil {
		return 0, fmt.Errorf("drop devices: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

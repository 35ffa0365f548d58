package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/honeydue/backend/shared/remind"
)

// sendDueOf sends what was planned of an event. What it does not get to, the schedule does.
func (s *service) sendDueOf(ctx context.Context, o owed) {
	if !s.timeLeft(ctx) {
		return
	}
	var done atomic.Int64
	_, err := s.share(ctx, len(o.messages), &done, func(limit int) ([]message, error) { return s.claimOf(ctx, o, limit) })
	if err != nil {
		s.log.WarnContext(ctx, "messages not sent; the deliveries schedule will send them", "event", o.event, "error", err)
	}
}

// sendDue sends everything that is due, until nothing is left, ctx has no time for more or the process is to end. more is true when it
// ended before it knew that nothing is left; not when all that it tried failed, for which the next tick is soon enough. It is
// correct at any time, for any number of times, and beside any number of others.
func (s *service) sendDue(ctx context.Context) (more bool, err error) {
	var done atomic.Int64
	tried := false
	for s.timeLeft(ctx) && !s.ending() {
		n, err := s.share(ctx, 1, &done, func(int) ([]message, error) { return s.claimInDoubt(ctx) })
		if err != nil {
			return false, err
		}
		if n == 0 {
			break
		}
		tried = true
	}
	for s.timeLeft(ctx) {
		asked := 0
		n, err := s.share(ctx, atOnce*perSlot, &done, func(limit int) ([]message, error) {
			asked = limit
			return s.claim(ctx, limit)
		})
		if err != nil || n < asked {
			return false, err
		}
		tried = true
		if s.ending() {
			break
		}
	}
	return !tried || done.Load() > 0, nil
}

// ending returns whether the process was asked to end: what is under way fits into the time for that, more may not.
func (s *service) ending() bool {
	select {
	case <-s.ends:
		return true
	default:
		return false
	}
}

// timeLeft returns whether ctx has time for one more message, with all that sending and noting it may take.
func (s *service) timeLeft(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(end) > s.lease())
}

// share claims at most so many messages, a few for each slot that is free, and each of these sends its share one after another. It
// returns how many it claimed; it claims none when waiting for a slot took all the time. done counts those that are over.
func (s *service) share(ctx context.Context, most int, done *atomic.Int64, claim func(limit int) ([]message, error)) (int, error) {
	free := s.take(ctx, most)
	unused := free // also when claiming ends by a fault
	defer func() { s.give(unused) }()
	if !s.timeLeft(ctx) {
		return 0, nil
	}
	// The lease begins no earlier than this, so that whatever ends by these deadlines ends inside it.
	claimed := time.Now()
	messages, err := claim(min(most, free*perSlot))
	shares := deal(messages, free)
	unused = 0
	s.give(free - len(shares))
	var group sync.WaitGroup
	for _, share := range shares {
		group.Go(func() {
			defer s.give(1)
			s.work(ctx, share, claimed, done)
		})
	}
	group.Wait()
	return len(messages), err
}

// deal gives messages out in turn to at most so many hands.
func deal(messages []message, hands int) [][]message {
	shares := make([][]message, min(hands, len(messages)))
	for i, m := range messages {
		shares[i%len(shares)] = append(shares[i%len(shares)], m)
	}
	return shares
}

// take waits for a slot and returns how many it got: that one, and others that are free, at most so many.
func (s *service) take(ctx context.Context, most int) int {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n := 1; n < most; n++ {
		select {
		case s.slots <- struct{}{}:
		default:
			return n
		}
	}
	return most
}

func (s *service) give(n int) {
	for range n {
		<-s.slots
	}
}

// work delivers messages one after another, the mails over one connection. It begins none for which the lease may be too short, and
// none but the first when the process is to end.
func (s *service) work(ctx context.Context, share []message, claimed time.Time, done *atomic.Int64) {
	var c *courier // of the mails among them
	// The connection's end comes last: a kill between the server's word and the commit of sent doubles a message.
	defer func() {
		if c != nil {
			s.couriers.giveBack(c)
		}
	}()
	for i, m := range share {
		if i > 0 && (s.ending() || time.Since(claimed) > s.deadline/2) {
			if err := s.release(context.WithoutCancel(ctx), share[i:]); err != nil {
				s.log.ErrorContext(ctx, "messages not given back; their lease stands", "messages", len(share)-i, "error", err)
			}
			return
		}
		if c == nil && m.Channel == channelEmail && m.Reason == "" {
			c = s.couriers.take()
		}
		if s.deliver(ctx, m, c) {
			done.Add(1)
		}
	}
}

// deliver sends one message, a mail by c, and notes what became of it. over is true when it needs no further try.
func (s *service) deliver(ctx context.Context, m message, c *courier) (over bool) {
	log := s.log.With("message", m.ID, "channel", m.Channel, "type", m.Type, "attempt", m.Attempts)
	if m.EventID != nil {
		log = log.With("event", *m.EventID)
	}
	if m.Reason != "" {
		log.InfoContext(ctx, "message is not sent", "reason", m.Reason)
		return true
	}
	if m.InDoubt {
		log.WarnContext(ctx, "message is sent again: how its last attempt ended is not known")
	}
	began := time.Now()
	sending, cancel := context.WithDeadline(ctx, began.Add(s.deadline))
	defer cancel()
	outcome := s.send(sending, m, c, log)
	noting, cancel := context.WithDeadline(context.WithoutCancel(ctx), began.Add(s.deadline*3/2))
	defer cancel()
	if err := s.settle(noting, m, outcome); err != nil {
		log.ErrorContext(ctx, "outcome not noted; the message's lease stands", "outcome", outcome.state, "error", err)
		return false
	}
	count(ctx, m.Channel, outcome)
	log.InfoContext(ctx, "message handled", "outcome", outcome.state, "reason", outcome.reason, "in_doubt", outcome.inDoubt)
	return outcome.state != "pending"
}

// send hands m to whoever carries its channel. A message that cannot be made ends no process, since others share it.
func (s *service) send(ctx context.Context, m message, c *courier, log *slog.Logger) (outcome settlement) {
	defer func() {
		if trouble := recover(); trouble != nil {
			log.ErrorContext(ctx, "message could not be made", "trouble", fmt.Sprintf("%T", trouble), "stack", string(debug.Stack()))
			if c != nil {
				c.hangUp() // the server may have half of it
			}
			outcome = settlementOf(m, &failure{text: "a fault of ours: the log has more"})
		}
	}()
	now := s.now()
	if m.Channel == channelPush {
		if until := quietUntil(now, remind.Zone(m.Zone), m.QuietFrom, m.QuietTo); !until.IsZero() {
			if !until.Before(m.ExpiresAt) {
				return settlement{state: "dead", reason: "expires within quiet hours", moot: true}
			}
			return settlement{state: "pending", reason: "quiet hours", pause: until.Sub(now), uncounted: true}
		}
	}
	if m.Type == typeDigest {
		day := today(now, m.Zone)
		if m.DueOn != nil && *m.DueOn != day {
			return settlement{state: "dead", reason: "its day is over", moot: true}
		}
		found, err := s.digestOf(ctx, m.UserID, day)
		if err != nil {
			return settlementOf(m, err)
		}
		if found == nil {
			return settlement{state: "dead", reason: "nothing is left to tell", moot: true}
		}
		m.Digest = found
	}
	if m.Channel == channelPush {
		return s.push(ctx, m, log)
	}
	msg, err := s.composer.compose(m)
	if err != nil {
		return settlementOf(m, err)
	}
	return settlementOf(m, c.send(ctx, msg))
}

// push hands m to the providers of its devices.
func (s *service) push(ctx context.Context, m message, log *slog.Logger) settlement {
	result := s.pusher.push(ctx, notificationOf(m, today(s.now(), m.Zone)), m.Devices)
	if gone := devicesOf(m, result.gone); len(gone) > 0 {
		dropped, err := s.drop(ctx, gone)
		if err != nil {
			log.WarnContext(ctx, "devices not dropped; the next push finds them gone again", "error", err)
		} else {
			log.InfoContext(ctx, "devices dropped: their provider does not know them any more", "devices", dropped)
		}
		if dropped < len(gone) && result.err == nil {
			result.err = &failure{text: "a phone that is gone may have been registered again"}
		}
	}
	outcome := settlementOf(m, result.err)
	switch {
	case result.err == nil && len(result.took) == 0:
		outcome = settlement{state: "dead", reason: "no device is left", moot: true}
		fallthrough
	case outcome.state == "dead":
		if len(result.took) > 0 || m.Reached {
			outcome.state = "sent" // it reached somebody; why it did not reach all stands beside it
		}
	}
	outcome.took = result.took
	return outcome
}

func devicesOf(m message, ids []int64) []device {
	var found []device
	for _, d := range m.Devices {
		for _, id := range ids {
			if d.ID == id {
				found = append(found, d)
			}
		}
	}
	return found
}

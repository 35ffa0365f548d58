package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// sendDueOf sends what is due of one event, which has so many messages at most. What it does not get to, the schedule does.
func (s *service) sendDueOf(ctx context.Context, event uuid.UUID, messages int) {
	if !s.timeLeft(ctx) {
		return
	}
	if _, _, err := s.sendBatch(ctx, &event, messages); err != nil {
		s.log.WarnContext(ctx, "messages not sent; the deliveries schedule will send them", "event", event, "error", err)
	}
}

// sendDue sends everything that is due, until nothing is left, ctx has no time for more or the process is to end; more is true when
// it ended before it knew that nothing is left. It is correct at any time, for any number of times, and beside any number of others.
func (s *service) sendDue(ctx context.Context) (more bool, err error) {
	for s.timeLeft(ctx) {
		claimed, asked, err := s.sendBatch(ctx, nil, atOnce*perSlot)
		if err != nil || claimed < asked {
			return false, err
		}
		if s.ending() {
			break
		}
	}
	return true, nil
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

// sendBatch claims at most so many messages, a few for each slot that is free, and each of these sends its share one after another.
// It returns how many it claimed, of how many that it asked for; it asks for none when waiting for a slot took all the time.
func (s *service) sendBatch(ctx context.Context, event *uuid.UUID, most int) (claimed, asked int, err error) {
	free := s.take(ctx, most)
	if !s.timeLeft(ctx) {
		s.give(free)
		return 0, 0, nil
	}
	asked = min(most, free*perSlot)
	// The lease begins no earlier than this, so that whatever ends by these deadlines ends inside it.
	began := time.Now()
	messages, err := s.claim(ctx, event, asked)
	shares := deal(messages, free)
	s.give(free - len(shares))
	var group sync.WaitGroup
	for _, share := range shares {
		group.Go(func() {
			defer s.give(1)
			s.work(ctx, share, began)
		})
	}
	group.Wait()
	return len(messages), asked, err
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
func (s *service) work(ctx context.Context, share []message, claimed time.Time) {
	c := &courier{server: s.server}
	// Taking leave comes last: a kill between the server's word and the commit of sent doubles a message.
	defer c.end()
	for i, m := range share {
		if i > 0 && (s.ending() || time.Since(claimed) > s.deadline/2) {
			if err := s.release(context.WithoutCancel(ctx), share[i:]); err != nil {
				s.log.ErrorContext(ctx, "messages not given back; their lease stands", "messages", len(share)-i, "error", err)
			}
			return
		}
		s.deliver(ctx, m, c)
	}
}

// deliver sends one message and notes what became of it.
func (s *service) deliver(ctx context.Context, m message, c *courier) {
	log := s.log.With("message", m.ID, "channel", m.Channel, "type", m.Type, "attempt", m.Attempts)
	if m.EventID != nil {
		log = log.With("event", *m.EventID)
	}
	if m.Reason != "" {
		log.InfoContext(ctx, "message is dead", "reason", m.Reason)
		return
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
		return
	}
	log.InfoContext(ctx, "message handled", "outcome", outcome.state, "reason", outcome.reason)
}

// send hands m to whoever carries its channel.
func (s *service) send(ctx context.Context, m message, c *courier, log *slog.Logger) settlement {
	now := s.now()
	if m.Channel == channelPush {
		if until := quietUntil(now, zoneOf(m.Zone), m.QuietFrom, m.QuietTo); !until.IsZero() {
			if !until.Before(m.ExpiresAt) {
				return settlement{state: "dead", reason: "expires within quiet hours"}
			}
			return settlement{state: "pending", reason: "quiet hours", pause: until.Sub(now), uncounted: true}
		}
	}
	if m.Type == typeDigest {
		found, err := s.digestOf(ctx, m.UserID, today(now, m.Zone))
		if err != nil {
			return settlementOf(m, err)
		}
		if found == nil {
			return settlement{state: "dead", reason: "nothing is left to tell"}
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
		log.InfoContext(ctx, "devices dropped: their provider does not know them any more", "devices", len(gone))
		if err := s.drop(ctx, gone); err != nil {
			log.WarnContext(ctx, "devices not dropped; the next push finds them gone again", "error", err)
		}
	}
	outcome := settlementOf(m, result.err)
	switch {
	case result.err == nil && len(result.took) == 0:
		outcome = settlement{state: "dead", reason: "no device is left"}
	case outcome.state == "dead" && len(result.took) > 0:
		outcome.state = "sent" // it reached somebody; why it did not reach all stands beside it
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

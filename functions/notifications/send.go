package main

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

// sendDueOf sends what is due of one event. What it does not get to, the schedule does.
func (s *service) sendDueOf(ctx context.Context, event uuid.UUID) {
	if err := s.sendDue(ctx, &event); err != nil {
		s.log.WarnContext(ctx, "messages not sent; the deliveries schedule will send them", "event", event, "error", err)
	}
}

// sendAllDue sends everything that is due, until nothing is left, ctx has no time for more or the process is to end. It is correct at
// any time, for any number of times, and beside any number of others.
func (s *service) sendAllDue(ctx context.Context) error { return s.sendDue(ctx, nil) }

func (s *service) sendDue(ctx context.Context, event *uuid.UUID) error {
	for s.timeLeft(ctx) {
		sent, err := s.sendBatch(ctx, event)
		if err != nil || sent == 0 || s.ending() {
			return err
		}
	}
	return nil
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

// sendBatch claims as many messages as it may have under way and sends them side by side. It returns how many it claimed.
func (s *service) sendBatch(ctx context.Context, event *uuid.UUID) (int, error) {
	free := s.take(ctx)
	if !s.timeLeft(ctx) { // it was spent on waiting
		s.give(free)
		return 0, nil
	}
	// The lease begins no earlier than this, so that whatever ends by these deadlines ends inside it.
	claimed := time.Now()
	messages, err := s.claim(ctx, event, free)
	s.give(free - len(messages))
	var group sync.WaitGroup
	for _, m := range messages {
		group.Go(func() {
			defer s.give(1)
			s.deliver(ctx, m, claimed)
		})
	}
	group.Wait()
	return len(messages), err
}

// take waits for a slot and returns how many it got: that one, and others that are free.
func (s *service) take(ctx context.Context) int {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case s.slots <- struct{}{}:
		default:
			return n
		}
	}
}

func (s *service) give(n int) {
	for range n {
		<-s.slots
	}
}

// deliver sends one message and notes what became of it.
func (s *service) deliver(ctx context.Context, m message, claimed time.Time) {
	log := s.log.With("message", m.ID, "event", m.EventID, "type", m.Type, "attempt", m.Attempts)
	if m.Reason != "" {
		log.InfoContext(ctx, "message is dead", "reason", m.Reason)
		return
	}
	if m.InDoubt {
		log.WarnContext(ctx, "message is sent again: how its last attempt ended is not known")
	}
	sending, cancel := context.WithDeadline(ctx, claimed.Add(s.deadline))
	defer cancel()
	end, err := s.send(sending, m)
	// Taking leave comes last: a kill between the server's word and the commit of sent doubles the message.
	defer end()
	noting, cancel := context.WithDeadline(context.WithoutCancel(ctx), claimed.Add(s.deadline*3/2))
	defer cancel()
	outcome := settlementOf(m, err)
	if err := s.settle(noting, m, outcome); err != nil {
		log.ErrorContext(ctx, "outcome not noted; the message's lease stands", "outcome", outcome.state, "error", err)
		return
	}
	log.InfoContext(ctx, "message handled", "outcome", outcome.state, "reason", outcome.reason)
}

// send composes m and hands it to the mail server. end takes leave of the server, and is never nil.
func (s *service) send(ctx context.Context, m message) (end func(), err error) {
	msg, err := s.composer.compose(m)
	if err != nil {
		return func() {}, err
	}
	conversation, err := s.server.dial(ctx)
	if err != nil {
		return func() {}, err
	}
	return conversation.end, conversation.send(msg)
}

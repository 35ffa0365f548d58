package load

import (
	"errors"
	"math/rand/v2"
	"sync"

	"github.com/honeydue/backend/events"
)

// A Stream delivers events to the function as a Broker does: most once, some again, soon or late, and in no order.
type Stream struct {
	at   *Site
	more func() ([]events.Event, error)

	mu    sync.Mutex
	fresh []telling // not delivered yet
	again []Call    // that are to come once more
	last  Call
	begun []string // ids
	err   error
}

// A telling is the delivery of an event.
type telling struct {
	id   string
	call Call
}

// Stream returns a stream of events that more makes, some with each call, and never two calls at once. It makes as many as the load
// delivers at its rate before it returns. What a load delivers beyond that, as fast as answers come, is made while it waits.
func (at *Site) Stream(more func() ([]events.Event, error)) (*Stream, error) {
	s := &Stream{at: at, more: more}
	// About half of what is delivered came before.
	for wanted := at.Requests() * 2 / 3; len(s.fresh) < wanted; {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Next is the next delivery.
func (s *Stream) Next() Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.again) > 0 && rand.IntN(2) == 0 {
		i := rand.IntN(len(s.again))
		s.last = s.again[i]
		s.again[i] = s.again[len(s.again)-1]
		s.again = s.again[:len(s.again)-1]
		return s.last
	}
	if len(s.fresh) == 0 && s.err == nil {
		s.err = s.fill()
	}
	if len(s.fresh) == 0 {
		return s.last // Begun says why
	}
	t := s.fresh[len(s.fresh)-1]
	s.fresh = s.fresh[:len(s.fresh)-1]
	s.begun, s.last = append(s.begun, t.id), t.call
	repeated := t.call
	repeated.Name = "one of them again"
	for range rand.IntN(3) {
		s.again = append(s.again, repeated)
	}
	return t.call
}

// Begun returns the ids of the events that were delivered at least once, or why there were too few of them.
func (s *Stream) Begun() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun, s.err
}

// fill makes further events.
func (s *Stream) fill() error {
	made, err := s.more()
	if err != nil {
		return err
	}
	if len(made) == 0 {
		return errors.New("make events: there are none")
	}
	for _, e := range made {
		s.fresh = append(s.fresh, telling{e.ID.String(), s.at.event(e)})
	}
	rand.Shuffle(len(s.fresh), func(i, j int) { s.fresh[i], s.fresh[j] = s.fresh[j], s.fresh[i] })
	return nil
}

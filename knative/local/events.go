package local

import (
	"slices"
	"sync"
	"time"

	"github.com/honeydue/backend/knative/broker"
)

// maxEvents is how many events are remembered.
const maxEvents = 500

// An eventLog remembers what the Broker did with the latest events.
type eventLog struct {
	mu     sync.Mutex
	events []*loggedEvent // oldest first
}

type loggedEvent struct {
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Source     string            `json:"source"`
	Subject    string            `json:"subject"`
	At         time.Time         `json:"at"` // when the Broker took it
	Deliveries []*loggedDelivery `json:"deliveries"`
}

type loggedDelivery struct {
	Consumer   string       `json:"consumer"`
	Attempts   int          `json:"attempts"`
	LastStatus int          `json:"last_status"` // 0 without an answer
	State      broker.State `json:"state"`

	trigger string
	tries   []try
}

// A try is one attempt that has come to an end.
type try struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	Status int       `json:"status"`
	Error  string    `json:"error,omitempty"`
}

// observe takes note of a step. The same event may come round again, published once more by the relay.
func (l *eventLog) observe(a broker.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	event := l.event(a)
	if a.Trigger == "" {
		return
	}
	i := slices.IndexFunc(event.Deliveries, func(d *loggedDelivery) bool { return d.trigger == a.Trigger })
	if i < 0 {
		i = len(event.Deliveries)
		event.Deliveries = append(event.Deliveries, &loggedDelivery{Consumer: a.Consumer, trigger: a.Trigger})
	}
	d := event.Deliveries[i]
	d.Attempts, d.State = a.Number, a.State
	switch a.State {
	case broker.Retrying, broker.Delivered, broker.Dead, broker.Failed:
		d.LastStatus = a.Status
		d.tries = append(d.tries, try{a.Number, a.Time, a.Status, errorText(a.Err)})
	case broker.Pending, broker.Delivering:
	}
}

// event returns the record of the attempt's event, a new one for an event that was not seen yet.
func (l *eventLog) event(a broker.Attempt) *loggedEvent {
	for _, e := range slices.Backward(l.events) {
		if e.ID == a.ID && e.Source == a.Source {
			return e
		}
	}
	e := &loggedEvent{
		ID: a.ID, Type: a.Type, Source: a.Source, Subject: a.Subject, At: a.Time, Deliveries: []*loggedDelivery{},
	}
	l.events = append(l.events, e)
	if len(l.events) > maxEvents {
		l.events = slices.Delete(l.events, 0, len(l.events)-maxEvents)
	}
	return e
}

// list returns copies, newest first.
func (l *eventLog) list() []loggedEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := make([]loggedEvent, 0, len(l.events))
	for _, e := range slices.Backward(l.events) {
		copied := *e
		copied.Deliveries = make([]*loggedDelivery, len(e.Deliveries))
		for i, d := range e.Deliveries {
			one := *d
			one.tries = slices.Clone(d.tries)
			copied.Deliveries[i] = &one
		}
		events = append(events, copied)
	}
	return events
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package broker

import (
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// State is how far a delivery has come.
type State string

// A delivery goes from pending over delivering and retrying to one of the last three.
const (
	Pending    State = "pending"    // held, waiting for its turn
	Delivering State = "delivering" // a request is under way
	Retrying   State = "retrying"   // the last attempt failed, another follows
	Delivered  State = "delivered"  // the consumer took it
	Dead       State = "dead"       // given up; the dead letter sink took it
	Failed     State = "failed"     // given up and dropped
)

// Attempt is what Observe is told: once for each event that was taken, with neither Trigger nor Consumer, and
// then at each step of each of its deliveries.
type Attempt struct {
	ID, Type, Source, Subject string
	Time                      time.Time // when this happened, not the event's own time

	Trigger  string // the Trigger's name
	Consumer string // the subscriber's name, or its address where it has no name

	Number int   // how many attempts were begun; 0 while pending
	Status int   // of the last answer; 0 without one
	Err    error // why the last attempt failed; nil while all is well
	State  State // what the delivery has come to
}

func (b *Broker) seen(e event.Event) Attempt {
	return Attempt{
		ID: e.ID(), Type: e.Type(), Source: e.Source(), Subject: e.Subject(),
		Time: b.options.Now(), State: Pending,
	}
}

func (d *delivery) observe(state State, last outcome) {
	a := d.broker.seen(d.parcel.event)
	a.Trigger, a.Consumer = d.consumer.Name, d.consumer.Subscriber.name()
	a.Number, a.Status, a.Err, a.State = d.attempts, last.status, last.err, state
	d.broker.options.Observe(a)
}

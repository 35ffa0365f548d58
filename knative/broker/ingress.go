package broker

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// An event may be answered by an event this many times in a row before it is taken for a loop.
const maxTTL = 255

// parcel is one held event on its way to the consumers that want it.
type parcel struct {
	event  event.Event
	header http.Header
	ttl    int32
	size   int64
	open   atomic.Int32
}

func (b *Broker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.TrimSuffix(r.URL.Path, "/") != "/"+b.options.Namespace+"/"+b.options.Name {
		http.Error(w, "no such broker", http.StatusNotFound)
		return
	}
	w.Header().Set("Allow", "POST, OPTIONS")
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		// The webhook handshake of CloudEvents: any origin, at any rate.
		w.Header().Set("WebHook-Allowed-Origin", "*")
		w.Header().Set("WebHook-Allowed-Rate", "*")
		return
	default:
		http.Error(w, "events come by POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEventBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		http.Error(w, "an event has at most 1 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	e, err := readEvent(r.Context(), r.Header, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := b.take(e, r.Header, false); err != nil {
		if err.status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		http.Error(w, err.reason, err.status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// refusal is why an event was not taken.
type refusal struct {
	status int
	reason string
}

func (r *refusal) Error() string { return r.reason }

// take holds an event and starts its deliveries. A reply is taken while the Broker closes as well: it is part
// of a delivery that Close waits for.
func (b *Broker) take(e event.Event, header http.Header, reply bool) *refusal {
	ttl := timeToLive(e)
	if ttl <= 0 {
		return &refusal{http.StatusBadRequest, "the event has come round too often"}
	}
	// Consumers see the arrival and not the TTL, as with Knative.
	e = e.Clone()
	e.SetExtension(ttlAttribute, nil)
	e.SetExtension(arrivalAttribute, types.Timestamp{Time: b.options.Now()})
	p := &parcel{event: e, header: passThrough(header, e), ttl: ttl, size: int64(len(e.Data()))}

	var wanted []*consumer
	for _, c := range b.consumers {
		if c.wants(e) {
			wanted = append(wanted, c)
		}
	}
	if refused := b.hold(p, len(wanted), reply); refused != nil {
		return refused
	}
	b.options.Observe(b.seen(e))
	deliveries := make([]*delivery, len(wanted))
	for i, c := range wanted {
		deliveries[i] = &delivery{broker: b, parcel: p, consumer: c}
		deliveries[i].observe(Pending, outcome{})
	}
	for _, d := range deliveries {
		go d.run()
	}
	return nil
}

// hold makes room for the event until each of n deliveries has let go of it.
func (b *Broker) hold(p *parcel, n int, reply bool) *refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed && !reply {
		return &refusal{http.StatusServiceUnavailable, "the broker is closing"}
	}
	if n == 0 {
		return nil
	}
	if b.events >= b.options.MaxEvents || b.bytes+p.size > b.options.MaxBytes {
		return &refusal{http.StatusServiceUnavailable, "the broker is full"}
	}
	b.events++
	b.bytes += p.size
	p.open.Store(int32(n)) //nolint:gosec // as many as there are Triggers
	b.working.Add(n)
	return nil
}

// release lets go of the event for one delivery.
func (b *Broker) release(p *parcel) {
	if p.open.Add(-1) == 0 {
		b.mu.Lock()
		b.events--
		b.bytes -= p.size
		b.mu.Unlock()
	}
	b.working.Done()
}

// timeToLive is what an event has left: one less than it came with, or the most when it came with none.
func timeToLive(e event.Event) int32 {
	left, err := types.ToInteger(e.Extensions()[ttlAttribute])
	if err != nil {
		return maxTTL
	}
	return max(left, 1) - 1
}

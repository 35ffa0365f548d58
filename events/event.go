// Package events says what can happen in honeyDue and makes sure that whoever must hear of it does.
//
// Every fact is one typed CloudEvent of the catalogue. An [Outbox] writes it in the transaction that makes it
// true, with a row for each consumer, and publishes it after the commit; a [Relay] publishes later what could not be
// published then; a [Consumer] believes the outbox and not the request that it was sent.
package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	ce "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"
)

// An Event is a fact as the outbox keeps it.
type Event struct {
	ID          uuid.UUID // UUIDv7; the CloudEvent's id
	Type        string    // com.myhoneydue.<noun>.<past participle>.v1
	Source      string    // /functions/<name>
	Subject     string    // what it is about, such as tasks/7
	Time        time.Time // when it became true
	Data        json.RawMessage
	Traceparent string // W3C Trace Context of the request that caused it; may be empty
}

// New returns the event that tells data, with a fresh id. source is the function's name.
// It refuses data that the catalogue does not list for that function.
func New(source string, data Data, now time.Time) (Event, error) {
	typ := TypeOf(data)
	entry, ok := Lookup(typ)
	if !ok {
		return Event{}, fmt.Errorf("event type %s is not in the catalogue", typ)
	}
	if !slices.Contains(entry.Sources, source) {
		return Event{}, fmt.Errorf("event type %s belongs to %s, not to %s", typ, strings.Join(entry.Sources, ", "), source)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Event{}, fmt.Errorf("make event id: %w", err)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", typ, err)
	}
	return Event{ID: id, Type: typ, Source: "/functions/" + source, Subject: data.Subject(), Time: now.UTC(), Data: body}, nil
}

// Decode reads the data of an event of type D. An event of another type is an error that no retry mends.
func Decode[D Data](e Event) (D, error) {
	var data D
	if want := TypeOf(data); e.Type != want {
		return data, Permanent(fmt.Errorf("event is a %s, not a %s", e.Type, want))
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return data, Permanent(errors.New("event data does not fit its type"))
	}
	return data, nil
}

// CloudEvent returns e as CloudEvents 1.0 writes it.
func (e Event) CloudEvent() (ce.Event, error) {
	out := ce.New()
	out.SetID(e.ID.String())
	out.SetType(e.Type)
	out.SetSource(e.Source)
	out.SetTime(e.Time)
	if e.Subject != "" {
		out.SetSubject(e.Subject)
	}
	out.SetDataSchema(SchemaURI(e.Type))
	if e.Traceparent != "" {
		out.SetExtension("traceparent", e.Traceparent)
	}
	if err := out.SetData(ce.ApplicationJSON, e.Data); err != nil {
		return out, fmt.Errorf("set data of event %s: %w", e.ID, err)
	}
	if err := out.Validate(); err != nil {
		return out, fmt.Errorf("event %s: %w", e.ID, err)
	}
	return out, nil
}

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
	"net/http"
	"slices"
	"strings"
	"time"

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

// Header returns the attributes of e as the binary mode of the CloudEvents HTTP binding has them; its data is the body.
func (e Event) Header() http.Header {
	h := header(e.ID, e.Type, e.Source, e.Time)
	h.Set("Ce-Dataschema", SchemaURI(e.Type))
	if e.Subject != "" {
		h.Set("Ce-Subject", e.Subject)
	}
	if e.Traceparent != "" {
		h.Set("Ce-Traceparent", e.Traceparent)
		h.Set("Traceparent", e.Traceparent)
	}
	return h
}

// header has what no CloudEvent of ours is without. The CloudEvents SDK reads it in tests and is in no function: its JSON library finds
// methods by name, for which the linker keeps every method of every library, a third of a program.
func header(id uuid.UUID, typ, source string, at time.Time) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Ce-Specversion", "1.0")
	h.Set("Ce-Id", id.String())
	h.Set("Ce-Type", typ)
	h.Set("Ce-Source", source)
	h.Set("Ce-Time", at.UTC().Format(time.RFC3339Nano))
	return h
}

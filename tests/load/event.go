package load

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
)

const insertTold = `
WITH told AS (
    INSERT INTO outbox_event (id, type, source, subject, time, data)
    SELECT id::uuid, type, source, subject, at, data::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[]) AS e (id, type, source, subject, at, data)
)
INSERT INTO outbox_delivery (event_id, consumer, next_at)
SELECT id::uuid, consumer, due FROM unnest($1::text[], $7::text[], $8::timestamptz[]) AS d (id, consumer, due)`

// Tell writes events into the outbox, each with the delivery row of its one consumer, which is due to be published at the time that
// stands at its place in due.
func Tell(ctx context.Context, db *pgx.Conn, told []events.Event, due []time.Time) error {
	var ids, types, sources, subjects, data, consumers []string
	var times []time.Time
	for _, e := range told {
		entry, ok := events.Lookup(e.Type)
		if !ok || len(entry.Consumers) != 1 {
			return fmt.Errorf("tell events: %s has not one consumer", e.Type)
		}
		ids, types, sources = append(ids, e.ID.String()), append(types, e.Type), append(sources, e.Source)
		subjects, times, data = append(subjects, e.Subject), append(times, e.Time), append(data, string(e.Data))
		consumers = append(consumers, entry.Consumers[0])
	}
	if _, err := db.Exec(ctx, insertTold, ids, types, sources, subjects, times, data, consumers, due); err != nil {
		return fmt.Errorf("tell events: %w", err)
	}
	return nil
}

// TellLater writes events into the outbox that nobody publishes for as long as a load can last: the load delivers them itself.
func TellLater(ctx context.Context, db *pgx.Conn, told []events.Event) error {
	return Tell(ctx, db, told, slices.Repeat([]time.Time{time.Now().Add(2 * longest)}, len(told)))
}

// event is the call by which a Broker delivers e to the function, in the binary mode of the CloudEvents HTTP binding.
func (at *Site) event(e events.Event) Call {
	return at.delivery(strings.TrimSuffix(strings.TrimPrefix(e.Type, "com.myhoneydue."), ".v1"), e.Data, e.Header())
}

// Tick is the call by which a Broker delivers a tick of a schedule to the function.
func (at *Site) Tick(schedule string) Call {
	return at.delivery("tick of "+schedule, []byte("{}"), http.Header{
		"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"},
		"Ce-Id": {uuid.NewString()}, "Ce-Type": {events.PingType}, "Ce-Time": {time.Now().UTC().Format(time.RFC3339Nano)},
		"Ce-Source": {"/apis/v1/namespaces/honeydue/pingsources/" + schedule},
	})
}

func (at *Site) delivery(name string, data []byte, header http.Header) Call {
	return Call{
		Name: name, Method: http.MethodPost, URL: at.Local.Inside(at.function), Body: data, Header: header, Status: http.StatusNoContent,
		Check: func(_ http.Header, body []byte) error {
			if len(body) > 0 {
				return fmt.Errorf("answered %d bytes, not none", len(body))
			}
			return nil
		},
	}
}

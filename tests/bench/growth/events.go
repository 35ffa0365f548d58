package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/honeydue/backend/events"
)

const eventsMethod = `Function sweeper publishes events that were published before, that nobody has confirmed and that are due, to a broker which takes
everything at once, by ticks that follow one another; in production they are five minutes apart, of which each publishes for 28 s at
most. The first event counts from the first tick, once in each of as many rounds as make 30,000 events (300 at most), a batch of 16
from the last event of the one before it. Creating a task, which appends an event, was measured while as many events were due and
nobody published them.`

// measureEvents measures how the sweeper publishes more and more events that are due, and creating a task beside them.
func measureEvents(ctx context.Context, s *stage, t *table, sizes []int) error {
	broker := newBroker()
	defer broker.Close()
	ours, err := s.couples(ctx, 1)
	if err != nil {
		return err
	}
	for _, size := range sizes {
		if err := s.owe(ctx, size); err != nil {
			return err
		}
		beside := &table{}
		if err := s.with(ctx, beside, size, []string{"tasks"}, func(at []string) error {
			phone := newPhone()
			defer phone.close()
			times, err := phone.repeat(ctx, creating(at[0], ours[0]))
			if err != nil {
				return err
			}
			t.times("create a task beside them", size, times)
			return nil
		}); err != nil {
			return err
		}
		// As many rounds as give enough of each figure, and none that lasts too long.
		rounds := max(1, min(calls, 30_000/size))
		if err := s.with(ctx, t, size, []string{"sweeper"}, func(at []string) error {
			return s.measureRelay(ctx, t, size, rounds, at[0], broker)
		}, "K_SINK="+broker.URL); err != nil {
			return err
		}
	}
	return nil
}

// leased is longer than what a tick that was cut off has claimed stays claimed.
const leased = time.Minute

func (s *stage) measureRelay(ctx context.Context, t *table, size, rounds int, url string, broker *broker) error {
	var firsts, batches, wholes []time.Duration
	ticks := 0
	for range rounds {
		if err := s.owe(ctx, size); err != nil {
			return err
		}
		began, ended, due, published := time.Now(), time.Now(), true, 0
		for due {
			ticked := time.Now()
			if err := tick(ctx, url); err != nil {
				return err
			}
			ticks++
			came := broker.taken()
			switch {
			case len(came) > 0 && published == 0:
				firsts = append(firsts, came[0].Sub(ticked))
			case len(came) == 0 && time.Since(ended) > leased:
				return errors.New("the sweeper publishes nothing of what is due")
			case len(came) == 0:
				ticks--
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(time.Second):
				}
			}
			if len(came) > 0 {
				published, ended = published+len(came), came[len(came)-1]
			}
			for last := events.RelayBatch - 1; last+events.RelayBatch < len(came); last += events.RelayBatch {
				batches = append(batches, came[last+events.RelayBatch].Sub(came[last]))
			}
			const left = `SELECT EXISTS (SELECT 1 FROM outbox_delivery WHERE state = 'pending' AND next_at < now() + interval '1 minute')`
			if err := s.DB.QueryRow(ctx, left).Scan(&due); err != nil {
				return fmt.Errorf("look for what is due: %w", err)
			}
		}
		if published < size { // what the end of a tick cut off is published again
			return fmt.Errorf("the sweeper published %d events of %d", published, size)
		}
		wholes = append(wholes, ended.Sub(began))
	}
	slices.Sort(firsts)
	slices.Sort(wholes)
	t.times("the first event", size, firsts)
	if len(batches) > 0 {
		slices.Sort(batches)
		t.times("a batch of 16", size, batches)
	}
	t.add("all of them", seconds, point{size: size, p50: wholes[rounds/2].Seconds()})
	t.add("ticks for all", pieces, point{size: size, p50: float64(ticks) / float64(rounds)})
	return nil
}

// insertOwed writes $1 events that one consumer has not confirmed for an hour and a half, and that were published six times. They are
// published again an hour later: nothing comes back within what is measured. Ids follow one another, as those of UUIDv7 do.
const insertOwed = `
WITH told AS (
    INSERT INTO outbox_event (id, type, source, subject, time, data)
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid,
        $2::text, '/functions/tasks', 'tasks/' || n, now() - interval '90 minutes', jsonb_build_object('task_id', n, 'completion_id', n, 'residence_id', 1, 'actor_id', 1)
    FROM generate_series(1, $1::int) n, LATERAL (SELECT md5(n::text || random()) AS noise) noise
    RETURNING id
)
INSERT INTO outbox_delivery (event_id, consumer, publications, next_at) SELECT id, 'notifications', 6, now() - interval '30 minutes' FROM told`

// owe makes the outbox one of n events that are due, and of nothing else.
func (s *stage) owe(ctx context.Context, n int) error {
	if _, err := s.DB.Exec(ctx, `TRUNCATE outbox_event, outbox_delivery`); err != nil {
		return fmt.Errorf("empty outbox: %w", err)
	}
	if _, err := s.DB.Exec(ctx, insertOwed, n, events.TypeOf(events.TaskCompleted{})); err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	if n < 1_000 {
		return nil // PostgreSQL by itself would not tidy after so few either
	}
	return s.Rest(ctx)
}

// tick sends what the schedule outbox sends to the sweeper, and returns once it is answered.
func tick(ctx context.Context, url string) error {
	const longest = 40 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/", strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Ce-Specversion": "1.0", "Ce-Id": uuid.NewString(), "Ce-Type": events.PingType,
		"Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/outbox", "Ce-Time": time.Now().UTC().Format(time.RFC3339Nano),
	} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusNoContent {
		return errors.Join(err, fmt.Errorf("tick answered %d", res.StatusCode))
	}
	return nil
}

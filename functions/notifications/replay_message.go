package main

import (
	"fmt"
	"net/http"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A message that is played again is worth sending for another day; devices that took it do not get it again.
const replayMessage = `
UPDATE notification_message
SET state = 'pending', attempts = 0, next_at = now(), lease_until = NULL, last_error = NULL,
    expires_at = greatest(expires_at, now() + interval '1 day')
WHERE id = $1::bigint AND state = 'dead'
RETURNING id, event_id, user_id, channel, type, state, attempts, last_error, created_at, claimed_at, next_at, expires_at, sent_at`

// replayMessage makes a dead message pending again under the same id, and has it sent at once. It is checked again then: what is not
// true any more ends as before.
func (s *service) replayMessage(r *http.Request) (any, error) {
	id, err := idOf(r)
	if err != nil {
		return nil, err
	}
	var again []entry
	err = pg.InTx(r.Context(), s.db, func(tx *pg.Tx) (err error) {
		if again, err = pg.All[entry](r.Context(), tx, replayMessage, id); err != nil || len(again) == 0 {
			return err
		}
		return s.outbox.Append(r.Context(), tx, events.MessagesLeft{ScheduleID: deliveriesID})
	})
	if err != nil {
		return nil, fmt.Errorf("replay message %d: %w", id, err)
	}
	if len(again) == 0 {
		return nil, problem.NotFound()
	}
	return again[0], nil
}

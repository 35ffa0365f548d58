package main

import (
	"fmt"
	"net/http"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

const selectMessage = selectEntries + ` WHERE id = $1::bigint`

// replayMessage makes a dead message pending again under the same id, and has it sent at once. It is checked again then: what is not
// true any more ends as before.
func (s *service) replayMessage(r *http.Request) (any, error) {
	id, err := idOf(r)
	if err != nil {
		return nil, err
	}
	var again entry
	err = pg.InTx(r.Context(), s.db, func(tx *pg.Tx) error {
		dead, err := notice.Replay(r.Context(), tx, id)
		if err != nil {
			return err
		}
		if !dead {
			return problem.NotFound()
		}
		if again, err = pg.One[entry](r.Context(), tx, selectMessage, id); err != nil {
			return fmt.Errorf("read message %d: %w", id, err)
		}
		return s.outbox.Append(r.Context(), tx, events.MessagesLeft{ScheduleID: deliveriesID})
	})
	if err != nil {
		return nil, err
	}
	return again, nil
}

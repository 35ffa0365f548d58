package notice

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/pg"
)

// A message that is played again is worth sending for another day; devices that took it do not get it again.
const replayMessage = `
UPDATE notification_message
SET state = 'pending', attempts = 0, next_at = now(), lease_until = NULL, last_error = NULL,
    expires_at = greatest(expires_at, now() + interval '1 day')
WHERE id = $1::bigint AND state = 'dead'`

// Replay makes a dead message pending again in tx, under the same id and with no attempts counted. It returns false when there is no
// such message that is dead. The message is checked again before it is sent: what is not true any more ends as before.
func Replay(ctx context.Context, tx *pg.Tx, id int64) (bool, error) {
	n, err := tx.Exec(ctx, replayMessage, id)
	if err != nil {
		return false, fmt.Errorf("replay message %d: %w", id, err)
	}
	return n == 1, nil
}

package notice_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// TestReplay asks as each role that has messages sent again.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"honeydue_admin", "honeydue_notifications"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			own := devtest.New(t)
			var mode pg.ExecMode
			require.NoError(t, mode.Decode(own.ExecMode()))
			db, err := pg.Open(t.Context(), pg.Config{URL: own.URL(role), ExecMode: mode, PoolSize: 2})
			require.NoError(t, err)
			t.Cleanup(db.Close)
			owner, err := pgxpool.New(t.Context(), own.OwnerURL())
			require.NoError(t, err)
			t.Cleanup(owner.Close)
			_, err = owner.Exec(t.Context(), `
				WITH person AS (INSERT INTO auth_user (email) VALUES ('ann@example.com') RETURNING id)
				INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, attempts, next_at, last_error, devices, expires_at)
				SELECT gen_random_uuid(), id, 'push', 'task_assigned', '{}', state, 12, now() - interval '1 hour', 'no', '{7}', expires_at
				FROM person, (VALUES ('dead', now() - interval '1 hour'), ('dead', now() + interval '1 week'), ('sent', now()), ('sending', now())) m (state, expires_at)`)
			require.NoError(t, err)

			replay := func(id int64) bool {
				var again bool
				require.NoError(t, pg.InTx(t.Context(), db, func(tx *pg.Tx) (err error) {
					again, err = notice.Replay(t.Context(), tx, id)
					return err
				}))
				return again
			}
			require.True(t, replay(1))
			require.True(t, replay(2))
			for _, id := range []int64{1, 3, 4, 4711} {
				require.False(t, replay(id), id)
			}
			var states []string
			require.NoError(t, owner.QueryRow(t.Context(), `
				SELECT array_agg(concat_ws(' ', state, attempts, last_error, devices, next_at > now() - interval '1 minute',
				    round(extract(epoch FROM expires_at - now()) / 86400)) ORDER BY id) FROM notification_message`).Scan(&states))
			require.Equal(t, []string{"pending 0 {7} t 1", "pending 0 {7} t 7", "sent 12 no {7} f 0", "sending 12 no {7} f 0"}, states)
		})
	}
}

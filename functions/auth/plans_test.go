package main

import (
	"testing"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// TestPlans: what a person reads takes as long as that person's things do, whoever else has some.
func TestPlans(t *testing.T) {
	t.Parallel()
	b := &bundle{}
	functiontest.CheckPlans(t, "auth", b.routes, func(s *functiontest.Server) functiontest.Reader {
		ann := s.Person(t, "ann")
		s.Exec(t, `INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT $1, $2::bytea || g::text::bytea, now() + interval '1 day' FROM generate_series(1, 20) g`,
			ann.ID, authn.Hash("other"))
		at := s.Home(t, ann)
		s.Exec(t, `INSERT INTO task_task (residence_id, title, created_by_id) SELECT $1, 'Task ' || g, $2 FROM generate_series(1, 100) g`, at, ann.ID)
		s.Exec(t, `INSERT INTO auth_device (user_id, session_id, platform, token) SELECT user_id, id, 'ios', 'ann' || id FROM auth_session WHERE user_id = $1`, ann.ID)
		s.Exec(t, `INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, expires_at, read_at)
			SELECT gen_random_uuid(), $1, 'app', 'task_assigned', jsonb_build_object('task_id', id, 'actor_id', $1::bigint), 'sent', now(), CASE WHEN id % 2 = 0 THEN now() END
			FROM task_task WHERE residence_id = $2`, ann.ID, at)
		return functiontest.Reader{Token: ann.Token}
	})
}

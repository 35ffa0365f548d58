package main

import (
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// TestPlans: what an operator reads takes as long as what is shown, however much there is.
func TestPlans(t *testing.T) {
	t.Parallel()
	b := &bundle{}
	routes := func(base *function.Base) func(huma.API) {
		return newService(base, keys{sealKey()}, "http://127.0.0.1:1/honeydue/default").routes
	}
	functiontest.CheckPlans(t, "admin", routes, func(s *functiontest.Server) functiontest.Reader {
		b.Server = s
		as := b.operator(t, supportRole)
		ann := s.Person(t, "ann")
		at := s.Home(t, ann)
		s.Exec(t, `UPDATE residence_residence SET name = 'Elm Street' WHERE id = $1`, at)
		s.Exec(t, `INSERT INTO task_task (residence_id, title, assigned_to_id) SELECT $1, 'Annual look ' || g, $2 FROM generate_series(1, 100) g`, at, ann.ID)
		s.Exec(t, `INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
			SELECT g, 'residence_image', 'image/jpeg', 9, 0, 'over' || g, CASE WHEN g % 2 = 0 THEN 'expired' ELSE 'given_up' END, now() FROM generate_series(1, 5000) g`)
		task := functiontest.Value[int64](t, s, `SELECT max(id) FROM task_task`)
		message := functiontest.Value[int64](t, s, `SELECT max(id) FROM notification_message`)
		event := functiontest.Value[string](t, s, `
			INSERT INTO outbox_event (id, type, source, subject, time, data) VALUES (gen_random_uuid(), 'com.myhoneydue.task.completed.v1', '/functions/tasks', 'tasks/1', now(), '{}')
			RETURNING id::text`)
		s.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, state, next_at) VALUES ($1::uuid, 'notifications', 'dead', now())`, event)
		values := map[string]any{
			people: ann.ID, homes: at, tasks: task, "q": "ann", "/api/admin/homes/ q": "elm",
			"/api/admin/tasks/ people": "", "/api/admin/uploads/ homes": "", "/api/admin/audit/ operators": "", // a list is narrowed to one at a time
		}
		for list, id := range map[string]any{
			people: ann.ID, homes: at, tasks: task, deliveries: message, eventRows: event + "-notifications", schedules: "outbox", operators: as.ID,
		} {
			values["/api/admin/"+list+"/{id}/ id"] = id
		}
		return functiontest.Reader{Token: as.Token, Values: values, Counting: []string{"/api/admin/overview/"}}
	})
}

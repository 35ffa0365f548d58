package function_test

import (
	"context"
	"net/http"
	"os"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

type note struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
}

type noteInput struct {
	idempotency.Header
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Title string `json:"title" minLength:"1" maxLength:"20"`
		Size  *int   `json:"size,omitempty"`
	}
}

// routes is a function as small as one can be: a note is a task with a title.
func routes(b *function.Base) func(huma.API) {
	return func(on huma.API) {
		signed := b.Auth.Group(on)
		api.Handle(signed, huma.Operation{Method: http.MethodPost, Path: "/api/homes/{id}/notes/", OperationID: "add-note", DefaultStatus: http.StatusCreated},
			func(ctx context.Context, in *noteInput) (*idempotency.Answer[note], error) {
				me := authn.User(ctx).ID
				guard, err := idempotency.New(me, "notes", in.Header, in.Body)
				if err != nil {
					return nil, err
				}
				var made note
				look := func(ctx context.Context) (home.Access, error) { return home.Of(ctx, b.DB, me, in.ID) }
				err = b.Homes.Change(ctx, guard, look, func(tx *pg.Tx, access home.Access) error {
					if err := access.MayWork(); err != nil {
						return err
					}
					if in.Body.Title == "panic" {
						var missing map[string]int
						missing["x"] = 1 //nolint:staticcheck // panics, as asked
					}
					made, err = pg.One[note](ctx, tx, `INSERT INTO task_task (residence_id, title) VALUES ($1, $2) RETURNING id, title`, in.ID, in.Body.Title)
					if err != nil {
						return err
					}
					if err := b.Outbox.Append(ctx, tx, events.TaskAssigned{TaskID: made.ID, ResidenceID: in.ID, AssigneeID: me, ActorID: me}); err != nil {
						return err
					}
					return guard.Keep(tx, http.StatusCreated, made)
				})
				if err != nil {
					return nil, err
				}
				return idempotency.Reply(guard, made)
			})
		api.Handle(on, huma.Operation{Method: http.MethodGet, Path: "/api/broken/", OperationID: "broken"},
			func(ctx context.Context, _ *struct{}) (*struct{}, error) {
				_, err := pg.Value[int](ctx, b.DB, `SELECT secret FROM nowhere WHERE x = 'hunter2'`)
				return nil, err
			})
	}
}

type bundle struct {
	*functiontest.Server
	me   functiontest.Person
	home int64
}

func setup(t *testing.T) bundle {
	t.Helper()
	s := functiontest.Start(t, "tasks", routes)
	me := s.Person(t, "ann")
	return bundle{s, me, s.Home(t, me)}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path := "/api/homes/1/notes/"
	made := functiontest.Read[note](t, b.Call(t, "POST", path, b.me.Token, map[string]any{"title": "gutters"}), 201)
	require.Equal(t, "gutters", made.Title)
	for name, c := range map[string]struct {
		path, token string
		body        any
		status      int
	}{
		"no slash":         {"/api/homes/1/notes", b.me.Token, `{"title":"x"}`, 201},
		"beyond":           {"/api/homes/1/notes/typo/", b.me.Token, `{"title":"x"}`, 404},
		"not signed in":    {path, "", `{"title":"x"}`, 401},
		"unknown token":    {path, "hd_nobody", `{"title":"x"}`, 401},
		"foreign home":     {"/api/homes/2/notes/", b.me.Token, `{"title":"x"}`, 404},
		"malformed":        {path, b.me.Token, `{"title":`, 400},
		"duplicate key":    {path, b.me.Token, `{"title":"x","title":"hunter2"}`, 400},
		"trailing":         {path, b.me.Token, `{"title":"x"} {}`, 400},
		"NUL":              {path, b.me.Token, `{"title":"hunter2\u0000"}`, 400},
		"invalid UTF-8":    {path, b.me.Token, "{\"title\":\"hunter2\xff\"}", 400},
		"unknown field":    {path, b.me.Token, `{"title":"x","hunter2":1}`, 422},
		"case of a field":  {path, b.me.Token, `{"TITLE":"x"}`, 422},
		"wrong type":       {path, b.me.Token, `{"title":["hunter2"]}`, 422},
		"too long":         {path, b.me.Token, `{"title":"hunter2hunter2hunter2"}`, 422},
		"huge number":      {path, b.me.Token, `{"title":"x","size":1e300}`, 422},
		"no number at all": {path, b.me.Token, `{"title":"x","size":1e999}`, 400},
		"empty":            {path, b.me.Token, ``, 400},
		"id of letters":    {"/api/homes/hunter2/notes/", b.me.Token, `{"title":"x"}`, 422},
		"unknown query":    {path + "?hunter2=1", b.me.Token, `{"title":"x"}`, 422},
	} {
		r := b.Call(t, "POST", c.path, c.token, c.body)
		require.Equal(t, c.status, r.Status, "%s: %s", name, r.Body)
		require.NotContains(t, string(r.Body), "hunter2", name)
		if c.status != 201 {
			functiontest.Refused(t, r, c.status)
		}
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.NotEmpty(t, r.Header.Get("X-Request-Id"))
		require.Empty(t, r.Header.Get("Link"))
	}
	functiontest.Refused(t, b.Call(t, "GET", path, b.me.Token, nil), 405)
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`))
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM outbox_delivery WHERE consumer = 'notifications'`))
}

func TestUnknownErrorsAndPanicsAreBare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, r := range []functiontest.Response{
		b.Call(t, "GET", "/api/broken/", "", nil),
		b.Call(t, "POST", "/api/homes/1/notes/", b.me.Token, `{"title":"panic"}`),
	} {
		functiontest.Refused(t, r, 500)
		require.NotContains(t, string(r.Body), "nowhere")
		require.NotContains(t, string(r.Body), "map")
	}
	// The panic happened inside a transaction: its connection must be clean again.
	for range 8 {
		functiontest.Read[note](t, b.Call(t, "POST", "/api/homes/1/notes/", b.me.Token, `{"title":"after"}`), 201)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path, key := "/api/homes/1/notes/", functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	first := b.Call(t, "POST", path, b.me.Token, `{"title":"once"}`, key)
	functiontest.Read[note](t, first, 201)
	again := b.Call(t, "POST", path, b.me.Token, `{"title":"once"}`, key)
	require.Equal(t, 201, again.Status)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	functiontest.Refused(t, b.Call(t, "POST", path, b.me.Token, `{"title":"other"}`, key), 422)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`))

	other := b.Person(t, "bob")
	b.Join(t, b.home, other, home.Member)
	functiontest.Read[note](t, b.Call(t, "POST", path, other.Token, `{"title":"once"}`, key), 201)

	// The first one still runs: its lock is held.
	tx := b.Begin(t)
	hash := functiontest.Value[[]byte](t, b.Server, `SELECT key_hash FROM shared_idempotency ORDER BY created_at LIMIT 1`)
	b.Exec(t, `DELETE FROM shared_idempotency`)
	_, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(('x' || encode(substring($1::bytea for 8), 'hex'))::bit(64)::bigint)`, hash)
	require.NoError(t, err)
	functiontest.Refused(t, b.Call(t, "POST", path, b.me.Token, `{"title":"once"}`, key), 409)
	require.NoError(t, tx.Rollback(t.Context()))
	functiontest.Read[note](t, b.Call(t, "POST", path, b.me.Token, `{"title":"once"}`, key), 201)
}

func TestViewerMayNotWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	viewer := b.Person(t, "vera")
	b.Join(t, b.home, viewer, home.Viewer)
	functiontest.Refused(t, b.Call(t, "POST", "/api/homes/1/notes/", viewer.Token, `{"title":"x"}`), 403)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`))
	require.Empty(t, b.Events(t))
}

func TestRoleReadsNoPasswords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, role := range []string{"honeydue_tasks", "honeydue_residences", "honeydue_site", "honeydue_notifications", "honeydue_sweeper"} {
		conn, err := pgx.Connect(t.Context(), b.DB.DirectURL(role))
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `SELECT password_hash FROM auth_user`)
		require.ErrorContains(t, err, "permission denied", role)
		require.NoError(t, conn.Close(t.Context()))
	}
}

func TestSchemaOlderThanCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `DELETE FROM goose_db_version WHERE version_id = $1`, pg.SchemaVersion)
	r := b.Call(t, "POST", "/api/homes/1/notes/", b.me.Token, `{"title":"x"}`)
	functiontest.Refused(t, r, 503)
	require.Len(t, r.Header.Values("Retry-After"), 1)
	b.Exec(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)`, pg.SchemaVersion)
	functiontest.Read[note](t, b.Call(t, "POST", "/api/homes/1/notes/", b.me.Token, `{"title":"x"}`), 201)
}

package functiontest_test

import (
	"context"
	"net/http"
	"os"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// TestEveryAnswerTellsItsTimes: whoever answers, a handler or what stands around it.
func TestEveryAnswerTellsItsTimes(t *testing.T) {
	t.Parallel()
	s := functiontest.Start(t, "tasks", func(b *function.Base) func(huma.API) {
		b.Events = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		return func(on huma.API) {
			for path, act := range map[string]func(context.Context) error{
				"/api/nothing/": func(context.Context) error { return nil },
				"/api/panics/":  func(context.Context) error { var none []int; none[0] = 1; return nil },
				"/api/asks/": func(ctx context.Context) error {
					_, err := pg.Value[string](ctx, b.DB, `SELECT pg_sleep(0.02)::text`)
					return err
				},
			} {
				op := huma.Operation{Method: http.MethodGet, Path: path, OperationID: path}
				api.Handle(b.Auth.Group(on), op, func(ctx context.Context, _ *struct{}) (*struct{}, error) { return nil, act(ctx) })
			}
		}
	})
	me := s.Person(t, "ann")
	require.Equal(t, "db;dur=0, cache;dur=0", s.Call(t, "GET", "/healthz", "", nil).Header.Get("Server-Timing"))
	for _, c := range []struct {
		method, path, token string
		status              int
	}{
		{"GET", "/api/nothing/", me.Token, 204},
		{"HEAD", "/api/nothing/", me.Token, 204},
		{"GET", "/api/nothing/", "", 401},
		{"GET", "/api/nothing/", "hd_unknown", 401},
		{"GET", "/api/nothing/?x=1", me.Token, 422},
		{"GET", "/api/elsewhere/", me.Token, 404},
		{"POST", "/api/nothing/", me.Token, 405},
		{"GET", "/api/panics/", me.Token, 500},
		{"GET", "/api/asks/", me.Token, 204},
		{"POST", "/", "", 204},
		{"GET", "/healthz", "", 200},
	} {
		r := s.Call(t, c.method, c.path, c.token, nil)
		require.Equal(t, c.status, r.Status, "%s %s: %s", c.method, c.path, r.Body)
		values := r.Header.Values("Server-Timing")
		require.Len(t, values, 1, "%s %s", c.method, c.path)
		require.Regexp(t, `^db;dur=[\d.]+, cache;dur=[\d.]+, cold;dur=[\d.]+$`, values[0])
		if c.path == "/api/asks/" {
			require.Regexp(t, `^db;dur=([2-9]\d|\d{3,})(\.\d)?,`, values[0])
		}
	}
}

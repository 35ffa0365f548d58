package function_test

import (
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// Deliveries come to POST / alone, and only to a function that takes them; everything else is the API's.
func TestEventsBesideTheAPI(t *testing.T) {
	t.Parallel()
	taking := functiontest.Start(t, "tasks", func(b *function.Base) func(huma.API) {
		b.Events = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		return routes(b)
	})
	require.Equal(t, 204, taking.Call(t, "POST", "/", "", nil).Status)
	me := taking.Person(t, "ann")
	taking.Home(t, me)
	functiontest.Read[note](t, taking.Call(t, "POST", "/api/homes/1/notes/", me.Token, `{"title":"x"}`), 201)
	for _, other := range []functiontest.Response{
		taking.Call(t, "GET", "/", "", nil), taking.Call(t, "POST", "/other/", "", nil),
		setup(t).Call(t, "POST", "/", "", nil),
	} {
		functiontest.Refused(t, other, 404)
	}
}

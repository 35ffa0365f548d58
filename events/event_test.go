package events

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	ce "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 4, 2, 12, 0, 0, 123456789, time.FixedZone("CEST", 2*60*60))

func TestNewEvent(t *testing.T) {
	t.Parallel()
	e, err := New("tasks", TaskCompleted{TaskID: 7, CompletionID: 8, ResidenceID: 9, ActorID: 10}, noon)
	require.NoError(t, err)
	require.Equal(t, uuid.Version(7), e.ID.Version())
	require.Equal(t, "com.myhoneydue.task.completed.v1", e.Type)
	require.Equal(t, "/functions/tasks", e.Source)
	require.Equal(t, "tasks/7", e.Subject)
	require.Equal(t, time.UTC, e.Time.Location())
	require.True(t, noon.Equal(e.Time))
	require.JSONEq(t, `{"task_id": 7, "completion_id": 8, "residence_id": 9, "actor_id": 10}`, string(e.Data))

	_, err = New("auth", TaskCompleted{}, noon)
	require.EqualError(t, err, "event type com.myhoneydue.task.completed.v1 belongs to tasks, not to auth")
	_, err = New("auth", UserDeletionRequested{UserID: 7}, noon)
	require.EqualError(t, err, "event type com.myhoneydue.user.deletion_requested.v1 belongs to admin, not to auth")
	_, err = New("tasks", unknown{}, noon)
	require.EqualError(t, err, "event type com.myhoneydue.task.exploded.v1 is not in the catalogue")
}

type unknown struct{}

func (unknown) Name() string    { return "task.exploded" }
func (unknown) Subject() string { return "tasks/1" }

func TestDecode(t *testing.T) {
	t.Parallel()
	want := TaskAssigned{TaskID: 1, ResidenceID: 2, AssigneeID: 3, ActorID: 9_007_199_254_740_993}
	e, err := New("tasks", want, noon)
	require.NoError(t, err)
	got, err := Decode[TaskAssigned](e)
	require.NoError(t, err)
	require.Equal(t, want, got)

	e.Data = json.RawMessage(`{"task_id": 1, "residence_id": 2, "assignee_id": 3, "actor_id": 4, "since": "v1.1"}`)
	_, err = Decode[TaskAssigned](e)
	require.NoError(t, err, "a newer function may say more")

	_, err = Decode[TaskCompleted](e)
	requirePermanent(t, err)
	for _, data := range []string{``, `[]`, `"hunter2"`, `{"task_id": "hunter2"}`, `{"task_id": 1.5}`, `{"task_id": 99999999999999999999}`} {
		e.Data = json.RawMessage(data)
		_, err = Decode[TaskAssigned](e)
		requirePermanent(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func requirePermanent(t *testing.T, err error) {
	t.Helper()
	var permanent *permanentError
	require.ErrorAs(t, err, &permanent)
}

func TestPermanentKeepsItsCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	require.ErrorIs(t, Permanent(cause), cause)
	require.EqualError(t, Permanent(cause), "cause")
}

// The far end of the wire is the CloudEvents SDK, which knows nothing of how we write.
func TestEveryTypeOnTheWire(t *testing.T) {
	t.Parallel()
	for _, entry := range Catalogue() {
		t.Run(TypeOf(entry.Data), func(t *testing.T) {
			t.Parallel()
			var got *ce.Event
			var header http.Header
			broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header = r.Header
				message := cehttp.NewMessageFromHttpRequest(r)
				if message.ReadEncoding() == binding.EncodingBinary {
					got, _ = binding.ToEvent(r.Context(), message)
				}
				w.WriteHeader(http.StatusAccepted)
			}))
			t.Cleanup(broker.Close)

			e, err := New(entry.Sources[0], filled(entry), noon)
			require.NoError(t, err)
			e.Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
			require.NoError(t, Publisher{Sink: broker.URL, Client: broker.Client()}.Publish(t.Context(), e))
			require.NotNil(t, got, "not a CloudEvent in binary mode")
			require.NoError(t, got.Validate())
			require.Equal(t, e.ID.String(), got.ID())
			require.Equal(t, e.Type, got.Type())
			require.Equal(t, e.Source, got.Source())
			require.Equal(t, e.Subject, got.Subject())
			require.Equal(t, SchemaURI(e.Type), got.DataSchema())
			require.Equal(t, "application/json", got.DataContentType())
			require.True(t, e.Time.Equal(got.Time()))
			require.Equal(t, map[string]any{"traceparent": e.Traceparent}, got.Extensions())
			require.Equal(t, e.Traceparent, header.Get("Traceparent"))
			back := reflect.New(reflect.TypeOf(entry.Data))
			require.NoError(t, got.DataAs(back.Interface()))
			require.Equal(t, filled(entry), back.Elem().Interface())
		})
	}
}

func TestAnEventWithoutTraceHasNoTraceparent(t *testing.T) {
	t.Parallel()
	e, err := New("auth", UserRegistered{UserID: 1}, noon)
	require.NoError(t, err)
	req, err := request(t.Context(), "http://127.0.0.1/honeydue/default", e)
	require.NoError(t, err)
	require.NotContains(t, req.Header, "Traceparent")
	require.NotContains(t, req.Header, "Ce-Traceparent")
}

func TestPublishingFails(t *testing.T) {
	t.Parallel()
	e, err := New("auth", UserRegistered{UserID: 1}, noon)
	require.NoError(t, err)
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "hunter2")
		}))
		t.Cleanup(broker.Close)
		err := Publisher{Sink: broker.URL, Client: broker.Client()}.Publish(t.Context(), e)
		require.ErrorContains(t, err, "broker answered ")
		require.NotContains(t, err.Error(), "hunter2")
	}
	require.ErrorContains(t, NewPublisher("http://127.0.0.1:1").Publish(t.Context(), e), "reach broker")
	require.ErrorContains(t, NewPublisher("://").Publish(t.Context(), e), "address of the broker")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, NewPublisher("http://127.0.0.1:1").Publish(over, e), context.Canceled)
}

// Whoever publishes an event is done with it before anybody else may.
func TestLeasesOutlastWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	const longestTransaction = 8 * time.Second // a row's lease begins with the transaction that writes it
	require.Less(t, longestTransaction+publishTimeout+settleTimeout, birthLease)
	require.Less(t, RelayBatch/publishAtOnce*(publishTimeout+settleTimeout), birthLease)
}

package events

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestPing expects what Eventing's PingSource sends, header by header.
func TestPing(t *testing.T) {
	t.Parallel()
	type received struct {
		method, path, body string
		header             http.Header
	}
	got := make(chan received, 1)
	status := http.StatusAccepted
	broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{r.Method, r.URL.Path, string(body), r.Header.Clone()}
		w.WriteHeader(status)
	}))
	t.Cleanup(broker.Close)
	p := Publisher{Sink: broker.URL + "/honeydue/default", Client: broker.Client()}
	at := time.Date(2026, 3, 1, 8, 0, 0, 500, time.FixedZone("", 3600))
	require.NoError(t, p.Ping(t.Context(), "outbox", at))
	ping := <-got
	id := ping.header.Get("Ce-Id")
	require.NoError(t, uuid.Validate(id))
	ping.header.Del("Ce-Id")
	require.Equal(t, received{http.MethodPost, "/honeydue/default", "{}", http.Header{
		"Accept-Encoding": {"gzip"},
		"User-Agent":      {"Go-http-client/1.1"},
		"Content-Length":  {"2"},
		"Content-Type":    {"application/json"},
		"Ce-Specversion":  {"1.0"},
		"Ce-Type":         {"dev.knative.sources.ping"},
		"Ce-Source":       {"/apis/v1/namespaces/honeydue/pingsources/outbox"},
		"Ce-Time":         {"2026-03-01T07:00:00.0000005Z"},
		"Kn-Namespace":    {"honeydue"},
	}}, ping)

	status = http.StatusServiceUnavailable
	require.ErrorContains(t, p.Ping(t.Context(), "outbox", at), "503")
	require.NotEqual(t, id, (<-got).header.Get("Ce-Id"))
	broker.Close()
	require.ErrorContains(t, p.Ping(t.Context(), "outbox", at), "reach broker")
}

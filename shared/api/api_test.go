package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

type thingInput struct {
	Body struct {
		Title string `json:"title" maxLength:"5"`
		Parts []struct {
			Name string `json:"name" maxLength:"5"`
		} `json:"parts,omitempty"`
	}
}

// serve answers POST /api/things/ with what act returns, and returns the server's address and what it logs.
func serve(t *testing.T, act func(ctx context.Context) error) (address string, logged func() string) {
	t.Helper()
	lines := &syncBuffer{}
	server := httptest.NewServer(api.New("tests", slog.New(slog.NewJSONHandler(lines, nil)), nil, func(on huma.API) {
		api.Handle(on, huma.Operation{Method: http.MethodPost, Path: "/api/things/", OperationID: "add-thing"},
			func(ctx context.Context, _ *thingInput) (*struct{}, error) { return nil, act(ctx) })
		api.Handle(on, huma.Operation{Method: http.MethodGet, Path: "/api/things/", OperationID: "list-things"},
			func(context.Context, *struct{}) (*struct{ Body []string }, error) {
				return &struct{ Body []string }{[]string{"thing"}}, nil
			})
		api.Handle(on, huma.Operation{Method: http.MethodDelete, Path: "/api/things/", OperationID: "remove-things"},
			func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), lines.text
}

type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func send(t *testing.T, method, address, contentType, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+"/api/things", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	answer, err := devtest.Client.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer, string(text)
}

// No part of a request comes back in its refusal, whatever it is called.
func TestRefusalsRepeatNothing(t *testing.T) {
	t.Parallel()
	address, logged := serve(t, func(context.Context) error { return nil })
	for _, c := range []struct {
		contentType, body string
		status            int
		says              string
	}{
		{"application/json", `{"title":"x","hunter2":1}`, 422, `[{"location":"body","message":"unexpected property"}]`},
		{"application/json", `{"title":"x","hunter2.x":1}`, 422, `[{"location":"body","message":"unexpected property"}]`},
		{"application/json", `{"title":"x","hunter2.x":1,"hunter2.y":2,"hunter2[z":3}`, 422, `[{"location":"body","message":"unexpected property"}]`},
		{"application/json", `{"title":"x","hunter2[0":1}`, 422, `[{"location":"body","message":"unexpected property"}]`},
		{"application/json", `{"title":"x","parts":[{"name":"y","hunter2":1}]}`, 422, `[{"location":"body.parts[0]","message":"unexpected property"}]`},
		{"application/json", `{"title":"x","parts":[{"name":"y","hunter2.x":1},{"name":"hunter2"}]}`, 422, `[{"location":"body","message":"unexpected property"}]`},
		{"application/json", `{"title":"hunter2"}`, 422, `[{"location":"body.title","message":"expected length <= 5"}]`},
		{"application/json", `{"title":"x.y","parts":[{"name":"[a"}]}`, 204, ""},
		{"hunter2/x", `{"title":"x"}`, 415, `[{"location":"body","message":"unknown content type"}]`},
		{"multipart/form-data; boundary=hunter2", `{"title":"x"}`, 415, `[{"location":"body","message":"unknown content type"}]`},
	} {
		answer, text := send(t, http.MethodPost, address, c.contentType, c.body)
		require.Equal(t, c.status, answer.StatusCode, "%s: %s", c.body, text)
		require.Contains(t, text, c.says, c.body)
		require.NotContains(t, text, "hunter2", c.body)
	}
	require.NotContains(t, logged(), "hunter2")
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	address, logged := serve(t, func(context.Context) error { return nil })
	answer, text := send(t, http.MethodPatch, address, "application/json", `{}`)
	require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
	require.Equal(t, []string{"GET", "POST", "DELETE"}, answer.Header.Values("Allow"))
	require.Contains(t, text, "method-not-allowed")
	answer, text = send(t, http.MethodHead, address, "application/json", "")
	require.Equal(t, http.StatusOK, answer.StatusCode, "as GET, without its body")
	require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
	require.Empty(t, text)
	require.Contains(t, logged(), `"method":"HEAD"`)
}

// A caller who hangs up does not end what has begun: half a write is worse than one that nobody waits for.
func TestCallerWhoHangsUp(t *testing.T) {
	t.Parallel()
	begun, gone, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	address, _ := serve(t, func(ctx context.Context) error {
		close(begun)
		<-gone
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		ended <- ctx.Err()
		return nil
	})
	ctx, hangUp := context.WithCancel(t.Context())
	go func() {
		<-begun
		hangUp()
		close(gone)
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/api/things/", strings.NewReader(`{"title":"x"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	answer, err := devtest.Client.Do(r)
	if err == nil {
		require.NoError(t, answer.Body.Close())
	}
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, <-ended)
}

// A body that ends early is the caller's fault, and no error of ours in the log.
func TestBodyThatEndsEarly(t *testing.T) {
	t.Parallel()
	address, logged := serve(t, func(context.Context) error { return errors.New("reached") })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = fmt.Fprint(conn, "POST /api/things/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"title\":")
	require.NoError(t, err)
	half, ok := conn.(*net.TCPConn)
	require.True(t, ok)
	require.NoError(t, half.CloseWrite())
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
	require.Eventually(t, func() bool { return strings.Contains(logged(), `"status":400`) }, 20*time.Second, time.Millisecond)
	require.NotContains(t, logged(), "ERROR")
}

// Who sends a whole photo reads that it is too large, and not that the connection broke.
func TestLargeBodyIsAnswered(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(context.Context) error { return nil })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	body := make([]byte, 10<<20)
	_, err = fmt.Fprintf(conn, "POST /api/things/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	require.NoError(t, err)
	_, err = conn.Write(body)
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	require.NoError(t, res.Body.Close())
}

package run_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/shared/run"
)

func get(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	res, err := devtest.Client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

func TestServeDrains(t *testing.T) {
	t.Parallel()
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	cfg := run.Config{Port: port, ListenHost: "127.0.0.1"}
	url := "http://127.0.0.1:" + strconv.Itoa(cfg.Port)
	background := &run.Background{}
	entered, release, worked := make(chan struct{}), make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		background.Go(func(ctx context.Context) {
			<-release
			if ctx.Err() == nil {
				close(worked)
			}
		})
		close(entered)
		<-release
		w.WriteHeader(http.StatusTeapot)
	})
	ctx, terminate := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- run.Serve(ctx, cfg, slog.New(slog.DiscardHandler), background, handler)
	}()
	require.Eventually(t, func() bool {
		status, err := get(t.Context(), url+"/healthz")
		return err == nil && status == http.StatusOK
	}, 20*time.Second, 5*time.Millisecond)

	answered := make(chan int, 1)
	go func() {
		status, err := get(context.Background(), url+"/")
		if err != nil {
			status = -1
		}
		answered <- status
	}()
	<-entered
	terminate()
	require.Eventually(t, func() bool {
		_, err := get(t.Context(), url+"/healthz")
		return err != nil
	}, 20*time.Second, 5*time.Millisecond, "nothing new is taken")
	select {
	case err := <-served:
		t.Fatalf("ended before the request that had begun: %v", err)
	default:
	}
	close(release)
	require.Equal(t, http.StatusTeapot, <-answered)
	require.NoError(t, <-served)
	select {
	case <-worked:
	default:
		t.Fatal("ended before its background work")
	}
}

// TestEveryAnswerHasItsTimes: also one that this package gives, before there was any request and after it.
func TestEveryAnswerHasItsTimes(t *testing.T) {
	t.Parallel()
	handler := run.Handler(http.NotFoundHandler())
	timesOf := func(method, path string, status int) string {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		require.Equal(t, status, w.Code, path)
		return w.Header().Get("Server-Timing")
	}
	const none, cold = "db;dur=0, cache;dur=0", `^db;dur=0, cache;dur=0, cold;dur=[\d.]+$`
	require.Equal(t, none, timesOf(http.MethodGet, "/healthz", http.StatusOK))
	require.Regexp(t, cold, timesOf(http.MethodGet, "//two/slashes", http.StatusTemporaryRedirect))
	require.Regexp(t, cold, timesOf(http.MethodPost, "/", http.StatusNotFound))
	require.Regexp(t, cold, timesOf(http.MethodHead, "/healthz", http.StatusOK))
}

func TestServeOnATakenPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	cfg := run.Config{Port: listener.Addr().(*net.TCPAddr).Port, ListenHost: "127.0.0.1"}
	err = run.Serve(t.Context(), cfg, slog.New(slog.DiscardHandler), &run.Background{}, http.NotFoundHandler())
	require.ErrorContains(t, err, "listen on port")
}

func TestReadNamesTheVariableAndNotItsValue(t *testing.T) {
	t.Setenv("PORT", "hunter2")
	var cfg struct{ Run run.Config }
	err := run.Read(&cfg)
	require.ErrorContains(t, err, "variable PORT is")
	require.NotContains(t, err.Error(), "hunter2")

	t.Setenv("PORT", "81")
	var needs struct {
		Run    run.Config
		Secret string `envconfig:"SOME_SECRET_THAT_IS_MISSING" required:"true"`
	}
	require.ErrorContains(t, run.Read(&needs), "SOME_SECRET_THAT_IS_MISSING")
	require.Equal(t, 81, needs.Run.Port)
}

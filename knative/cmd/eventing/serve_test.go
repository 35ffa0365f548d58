package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/ports"
)

const patience = 20 * time.Second

// The program starts itself as a process of its own in TestSignal.
func TestMain(m *testing.M) {
	if os.Getenv("EVENTING_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func publish(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+"/honeydue/default", strings.NewReader("{}"))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Type": "dev.knative.sources.ping", "Ce-Source": "/x/pingsources/outbox",
	} {
		req.Header.Set(name, value)
	}
	resp, err := devtest.Client.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// A schedule's tick goes through the Broker to the Service that its Trigger names, and what is on its way at
// the end still arrives.
func TestServe(t *testing.T) {
	t.Parallel()
	got, finish := make(chan string, 1000), make(chan struct{})
	sweeper := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Ce-Source")
		<-finish
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(sweeper.Close)
	m, err := load(files(brokerYAML, triggerYAML, pingYAML), "honeydue")
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	var logged bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, slog.New(slog.NewJSONHandler(&logged, nil)), listener, m,
			func(_ context.Context, ref broker.Ref) (string, error) {
				return sweeper.URL + "/" + ref.Name + "." + ref.Namespace, nil
			})
	}()
	require.Equal(t, "/apis/v1/namespaces/honeydue/pingsources/outbox", <-got)

	resp, err := devtest.Client.Get(url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	resp, err = devtest.Client.Get(url + "/honeydue/other")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNotFound, resp.StatusCode)

	stop()
	require.Eventually(t, func() bool { return publish(t, url) == http.StatusServiceUnavailable }, patience, time.Millisecond)
	require.Empty(t, ended)
	close(finish)
	require.NoError(t, <-ended)
	require.NotContains(t, logged.String(), "dropped")
	require.Zero(t, publish(t, url))
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"trigger sweeper: delivery.backoffDelay": {brokerYAML, strings.Replace(triggerYAML, "PT1S", "1s", 1)},
		"schedule outbox: timezone":              {brokerYAML, strings.Replace(pingYAML, "Europe/Berlin", "Mars", 1)},
	} {
		m, err := load(files(texts...), "honeydue")
		require.NoError(t, err)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		err = serve(t.Context(), slog.New(slog.DiscardHandler), listener, m, nil)
		require.ErrorContains(t, err, want)
		require.ErrorIs(t, listener.Close(), net.ErrClosed)
	}
}

func TestSignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(brokerYAML+"---\n"+triggerYAML), 0o600))
	free, err := ports.Free(t.Context())
	require.NoError(t, err)
	const host = "127.0.0.1"
	port := strconv.Itoa(free)

	program := exec.Command(os.Args[0])
	program.Env = []string{"EVENTING_TEST_MAIN=1", "MANIFESTS=" + dir, "LISTEN_HOST=" + host, "PORT=" + port}
	require.NoError(t, program.Start())
	t.Cleanup(func() { _ = program.Process.Kill() })
	require.Eventually(t, func() bool {
		resp, err := devtest.Client.Get("http://" + net.JoinHostPort(host, port) + "/healthz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, patience, 5*time.Millisecond)
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.NoError(t, program.Wait())

	empty := exec.Command(os.Args[0])
	empty.Env = []string{"EVENTING_TEST_MAIN=1", "MANIFESTS=" + t.TempDir(), "LISTEN_HOST=" + host, "PORT=0"}
	output, err := empty.Output()
	require.Error(t, err)
	require.Contains(t, string(output), "there is no Broker")
}

package main

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// process starts a sweeper as a process of its own and returns it with its address, once it listens.
func (h *house) process(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asSweeper+"=yes", "PORT="+port, "LISTEN_HOST=127.0.0.1", "LOG_LEVEL=error", "K_SINK="+h.brokerURL,
		"DATABASE_URL="+h.DB.URL("honeydue_sweeper"), "DATABASE_EXEC_MODE="+h.DB.ExecMode(),
		"S3_ENDPOINT="+h.at.Endpoint, "S3_REGION="+h.at.Region, "S3_BUCKET="+h.at.Name, "S3_TIMEOUT=20s",
		"S3_ACCESS_KEY="+h.at.AccessKey, "S3_SECRET_KEY="+h.at.SecretKey)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	}, 30*time.Second, 5*time.Millisecond)
	return cmd, "http://" + address
}

// counted returns a bucket as it reads from behind a proxy, and a function that gives a channel which is closed once so many
// more requests have come.
func counted(t *testing.T, at *devtest.Bucket) (*devtest.Bucket, func(requests int) <-chan struct{}) {
	t.Helper()
	var mu sync.Mutex
	var left int
	var reached chan struct{}
	proxy := httptest.NewServer(devtest.Before(t, at, func(http.ResponseWriter, *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			close(reached)
		}
		return false
	}))
	t.Cleanup(proxy.Close)
	like := *at
	like.Endpoint = proxy.URL
	return &like, func(requests int) <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		left, reached = requests, make(chan struct{})
		return reached
	}
}

// TestKill9AtAnyMomentOfASweep kills a sweeper 20 times at random moments and lets the next go on: in the end nothing is there that
// nobody attached, and everything that somebody did.
func TestKill9AtAnyMomentOfASweep(t *testing.T) {
	t.Parallel()
	const kills, uploads, more = 20, 200, 20
	at, after := counted(t, devtest.NewBucket(t))
	h := setupHouse(t, at)
	var kept []string
	for range 20 {
		kept = append(kept, h.attached(t, nil, nil)...)
	}
	h.sent(t, uploads, time.Hour)
	todo := `SELECT (SELECT count(*) FROM pending_uploads WHERE state = 'pending') + (SELECT count(*) FROM upload_tombstone)`
	for range kills {
		h.sent(t, more, time.Hour)
		cmd, url := h.process(t)
		reached := after(1 + rand.IntN(4))
		ended := make(chan struct{})
		go func() { defer close(ended); ask(t.Context(), url) }()
		select {
		case <-ended:
		case <-reached:
		}
		<-time.After(rand.N(30 * time.Millisecond))
		require.NoError(t, cmd.Process.Kill())
		<-ended
		require.Error(t, cmd.Wait())
		t.Logf("%d of %d are left", functiontest.Value[int](t, h.Server, todo), uploads+kills*more)
		h.bury(t) // nobody waits for what the killed one had claimed
	}
	h.sweep(t)
	require.Zero(t, functiontest.Value[int](t, h.Server, todo))
	require.ElementsMatch(t, kept, h.stored(t))
}

// ask sends a tick that may never be answered.
func ask(ctx context.Context, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return
	}
	for name, value := range ping("uploads") {
		request.Header.Set(name, value)
	}
	if answer, err := http.DefaultClient.Do(request); err == nil {
		_ = answer.Body.Close()
	}
}

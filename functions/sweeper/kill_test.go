package main

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// process starts a sweeper as a process of its own and returns it with its address, once it listens.
func (h *house) process(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asSweeper+"=yes", "PORT="+strconv.Itoa(port), "LISTEN_HOST=127.0.0.1", "LOG_LEVEL=error", "K_SINK="+h.brokerURL,
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

// TestKill9AtAnyMomentOfASweep kills a sweeper 20 times at random moments, while members send and attach photos, some just before
// they are too old, and lets the next go on: in the end nothing is there that nobody attached, and everything that somebody did.
func TestKill9AtAnyMomentOfASweep(t *testing.T) {
	t.Parallel()
	const kills, uploads, more, members = 20, 200, 20, 2
	direct := devtest.NewBucket(t)
	at, after := counted(t, direct)
	h := setupHouse(t, at)
	h.sent(t, uploads, time.Hour)
	stop := make(chan struct{})
	ends := make([]map[string]int, members)
	var sending errgroup.Group
	for i := range members {
		m := h.member(t, direct)
		sending.Go(func() (err error) {
			ends[i], err = m.sendUntil(context.WithoutCancel(t.Context()), stop)
			return err
		})
	}
	todo := `SELECT (SELECT count(*) FROM pending_uploads WHERE state = 'pending') + (SELECT count(*) FROM upload_tombstone)`
	for range kills {
		h.sent(t, more, time.Hour)
		cmd, url := h.process(t)
		reached := after(1 + rand.IntN(300))
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
		t.Logf("%d are left", functiontest.Value[int](t, h.Server, todo))
		h.bury(t) // nobody waits for what the killed one had claimed
	}
	close(stop)
	require.NoError(t, sending.Wait())
	t.Log(ends)

	h.tomorrow()
	h.Exec(t, `UPDATE pending_uploads SET expires_at = now() WHERE state = 'pending'`)
	h.sweep(t)
	h.bury(t)
	h.sweep(t)
	require.Zero(t, functiontest.Value[int](t, h.Server, todo))
	kept := h.owned(t)
	require.NotEmpty(t, kept)
	stored := h.stored(t)
	slices.Sort(stored)
	require.ElementsMatch(t, kept, slices.Compact(stored), "a photo may be stored twice, since a request that fails half-way is sent again")
	require.Equal(t, functiontest.Value[int](t, h.Server, `SELECT count(*) FROM upload_media`),
		functiontest.Value[int](t, h.Server, `SELECT count(*) FROM pending_uploads WHERE state = 'attached'`))
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
	if answer, err := devtest.Client.Do(request); err == nil {
		_ = answer.Body.Close()
	}
}

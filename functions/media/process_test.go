package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/ports"
)

// build returns the function's program, as production has it.
func build(t *testing.T) string {
	t.Helper()
	root, err := devserver.Workspace()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "media")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./functions/media")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	return program
}

// run starts the program on the bundle's servers, and has events go there. The bucket is at endpoint.
func (b *bundle) run(t *testing.T, program, endpoint string) *exec.Cmd {
	t.Helper()
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	b.url = "http://127.0.0.1:" + strconv.Itoa(port)
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	cmd.Env = []string{
		"LISTEN_HOST=127.0.0.1", "PORT=" + strconv.Itoa(port), "LOG_LEVEL=error", "GOMEMLIMIT=130MiB",
		"DATABASE_URL=" + b.DB.URL("honeydue_media"), "DATABASE_EXEC_MODE=" + b.DB.ExecMode(), "DATABASE_POOL_SIZE=2",
		"S3_ENDPOINT=" + endpoint, "S3_REGION=" + b.at.Region, "S3_BUCKET=" + b.at.Name,
		"S3_ACCESS_KEY=" + b.at.AccessKey, "S3_SECRET_KEY=" + b.at.SecretKey,
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		res, err := devtest.Client.Get(b.url + "/healthz")
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
	return cmd
}

// A process that is killed at any step leaves work that the next one does, and one that always is leaves an end.
func TestKills(t *testing.T) {
	t.Parallel()
	program := build(t)
	at := devtest.NewBucket(t)
	kill := make(chan *exec.Cmd, 1)
	var step atomic.Value // where the process is killed: a method and a part of the photo
	step.Store("")
	proxy := newProxy(t, at, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method+r.URL.Path[strings.LastIndex(r.URL.Path, "/"):] != step.Load() {
			return false
		}
		running := <-kill
		_ = running.Process.Kill()
		return true
	})
	b := setup(t, at)
	once := b.attach(t, "image/jpeg", phoneJPEG(t))
	for i, at := range []string{"GET" + partOriginal, "PUT" + partClean, "PUT" + partThumb} {
		step.Store(at)
		kill <- b.run(t, program, proxy)
		_, err := post(b.url, once.event)
		require.Error(t, err)
		require.Equal(t, "cleaning", b.row(t, once))
		require.Equal(t, "pending "+strconv.Itoa(i+1), b.delivery(t, once.event))
	}
	step.Store("")
	b.run(t, program, proxy)
	require.Equal(t, http.StatusNoContent, b.deliver(t, once.event))
	require.Equal(t, "ready with thumbnail", b.row(t, once))

	always := b.attach(t, "image/jpeg", phoneJPEG(t))
	step.Store("GET" + partOriginal)
	for range maxTries {
		kill <- b.run(t, program, proxy)
		_, err := post(b.url, always.event)
		require.Error(t, err)
	}
	require.Equal(t, "cleaning", b.row(t, always))
	b.run(t, program, proxy)
	require.Equal(t, http.StatusNoContent, b.deliver(t, always.event))
	require.Equal(t, "failed unprocessable", b.row(t, always))
}

package bucket

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // S3's own
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
)

func put(t *testing.T, b *Bucket, key, text string) {
	t.Helper()
	require.NoError(t, b.Put(t.Context(), key, "text/plain", strings.NewReader(text), int64(len(text))))
}

func get(t *testing.T, b *Bucket, key string) string {
	t.Helper()
	content, _, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	text, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	return string(text)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		ctx := t.Context()
		const size = 6 << 20
		photo := bytes.Repeat([]byte("tiles "), size/6)
		before := time.Now()
		require.NoError(t, b.Put(ctx, "uploads/a", "image/jpeg", bytes.NewReader(photo), size))
		// A reader that cannot go back is sent as well.
		require.NoError(t, b.Put(ctx, "uploads/a", "image/jpeg", io.MultiReader(bytes.NewReader(photo)), size))

		want := Object{Key: "uploads/a", Size: size, ContentType: "image/jpeg"}
		found, err := b.Stat(ctx, "uploads/a")
		require.NoError(t, err)
		require.WithinRange(t, found.ModifiedAt, before.Add(-time.Second), time.Now().Add(time.Second))
		found.ModifiedAt = time.Time{}
		require.Equal(t, want, found)

		require.NoError(t, b.Copy(ctx, "uploads/a", "media/b"))
		content, copied, err := b.Get(ctx, "media/b")
		require.NoError(t, err)
		read, err := io.ReadAll(content)
		require.NoError(t, err)
		require.NoError(t, content.Close())
		require.True(t, bytes.Equal(photo, read))
		require.Equal(t, "image/jpeg", copied.ContentType)
		require.EqualValues(t, size, copied.Size)

		found, head, err := b.ReadHead(ctx, "media/b", 8)
		require.NoError(t, err)
		require.Equal(t, "tiles ti", string(head))
		require.Equal(t, "image/jpeg", found.ContentType)
		require.EqualValues(t, size, found.Size)

		// The copy is a thing of its own.
		put(t, b, "uploads/a", "<html>")
		require.Equal(t, "<html>", get(t, b, "uploads/a"))
		require.Len(t, get(t, b, "media/b"), size)
	})
}

func TestHeadOfShortObjects(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		for _, text := range []string{"", "x", "tiles"} {
			put(t, b, "a", text)
			found, head, err := b.ReadHead(t.Context(), "a", 5)
			require.NoError(t, err)
			require.Equal(t, text, string(head))
			require.EqualValues(t, len(text), found.Size)
			require.Equal(t, "text/plain", found.ContentType)
		}
	})
}

// calls are all that asks the bucket for something, by what they do.
func calls(ctx context.Context, b *Bucket, key string) map[string]func() error {
	return map[string]func() error{
		"stat": func() error { _, err := b.Stat(ctx, key); return err },
		"head": func() error { _, _, err := b.ReadHead(ctx, key, 10); return err },
		"copy": func() error { return b.Copy(ctx, key, "c0py") },
		"get":  func() error { _, _, err := b.Get(ctx, key); return err },
		"put":  func() error { return b.Put(ctx, key, "text/plain", strings.NewReader("x"), 1) },
		"list": func() error { _, err := b.List(ctx, "", "", 10); return err },
		"drop": func() error { return b.Delete(ctx, key) },
		"both": func() error { return b.Delete(ctx, key, key+"/also") },

		"lifecycle":     func() error { _, err := b.Lifecycle(ctx); return err },
		"set lifecycle": func() error { return b.SetLifecycle(ctx, []lifecycle.Rule{{ID: "a", Status: "Enabled"}}) },
		"CORS":          func() error { _, err := b.CORS(ctx); return err },
		"set CORS": func() error {
			return b.SetCORS(ctx, []cors.Rule{{ID: "a", AllowedOrigin: []string{"*"}, AllowedMethod: []string{"GET"}}})
		},
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		put(t, b, "deleted", "text")
		require.NoError(t, b.Delete(t.Context(), "deleted"))
		for _, key := range []string{"missing", "deleted"} {
			calls := calls(t.Context(), b, key)
			for _, name := range []string{"stat", "head", "copy", "get"} {
				err := calls[name]()
				require.ErrorIs(t, err, ErrNotFound, name)
				require.False(t, Unavailable(err), name)
			}
		}
	})
}

// TestRefused uses a key that the bucket does not know, and a bucket that is not there: neither is one that is away.
func TestRefused(t *testing.T) {
	t.Parallel()
	const key = "uploads/s3cret"
	at := devtest.NewBucket(t)
	stranger, lost := config(at), config(at)
	stranger.SecretKey, lost.Name = "another", "no-such-bucket"
	for _, cfg := range []Config{stranger, lost} {
		for name, call := range calls(t.Context(), openBucket(t, cfg), key) {
			err := call()
			require.Error(t, err, name)
			require.False(t, Unavailable(err), "%s: %s", name, err)
			require.NotContains(t, err.Error(), "s3cret", name)
		}
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	const key = "uploads/s3cret"
	server := devtest.StartS3(t)
	cfg := config(devtest.NewBucketOn(t, server))
	cfg.Timeout = 200 * time.Millisecond
	b := openBucket(t, cfg)
	for name, leave := range map[string]func(){
		"hanging": server.Pause,
		"stopped": func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) },
	} {
		require.NoError(t, server.Start(t.Context()))
		server.Resume()
		leave()
		for call, do := range calls(t.Context(), b, key) {
			begun := time.Now()
			err := do()
			require.Less(t, time.Since(begun), 10*cfg.Timeout+time.Second, "%s: %s", name, call)
			require.True(t, Unavailable(err), "%s: %s: %v", name, call, err)
			require.NotErrorIs(t, err, ErrNotFound)
			require.NotContains(t, err.Error(), "s3cret")
			var away interface{ Unavailable() bool }
			require.ErrorAs(t, err, &away)
			require.True(t, away.Unavailable())
		}
		// What is only signed needs nobody.
		for _, sign := range []presigner{(*Bucket).PresignPost, (*Bucket).PresignPut} {
			presign(t, b, sign, photo)
		}
		_, err := b.PresignGet(t.Context(), key, "image/jpeg", "inline")
		require.NoError(t, err)
	}
	// A server that has just come back may take longer for an object than this bucket waits.
	require.NoError(t, server.Start(t.Context()))
	server.Resume()
	require.Eventually(t, func() bool {
		return b.Put(t.Context(), key, "text/plain", strings.NewReader("x"), 1) == nil
	}, time.Minute, 50*time.Millisecond)
}

// What can be read twice is sent with its sum, which the server compares: a bucket with Object Lock asks for one.
func TestSums(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	var sums []string
	proxy := httptest.NewServer(devtest.Before(t, at, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			sums = append(sums, r.Header.Get("Content-Md5"))
		}
		return false
	}))
	t.Cleanup(proxy.Close)
	cfg := config(at)
	cfg.Endpoint = proxy.URL
	b := openBucket(t, cfg)
	put(t, b, "a", "tiles")
	file, err := os.Create(filepath.Join(t.TempDir(), "dump"))
	require.NoError(t, err)
	_, err = file.WriteString("not of it: tiles")
	require.NoError(t, err)
	_, err = file.Seek(-5, io.SeekEnd)
	require.NoError(t, err)
	require.NoError(t, b.Put(t.Context(), "b", "text/plain", file, 5))
	require.Equal(t, "tiles", get(t, b, "b"))
	require.NoError(t, b.Put(t.Context(), "c", "text/plain", io.MultiReader(strings.NewReader("tiles")), 5))
	sum := md5.Sum([]byte("tiles")) //nolint:gosec // S3's own
	want := base64.StdEncoding.EncodeToString(sum[:])
	require.Equal(t, []string{want, want, ""}, sums)
}

// TestHangingContent stops a bucket when it has sent a part.
func TestHangingContent(t *testing.T) {
	t.Parallel()
	server := devtest.StartS3(t)
	cfg := config(devtest.NewBucketOn(t, server))
	whole := openBucket(t, cfg)
	put(t, whole, "a", strings.Repeat("x", 32<<20))
	cfg.Timeout = 2 * time.Second
	b := openBucket(t, cfg)
	content, _, err := b.Get(t.Context(), "a")
	require.NoError(t, err)
	server.Pause()
	_, err = io.Copy(io.Discard, content)
	require.True(t, Unavailable(err), "%v", err)
	require.NoError(t, content.Close())
}

func TestOverloaded(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			proxy := httptest.NewServer(devtest.Before(t, at, func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(status)
				return true
			}))
			t.Cleanup(proxy.Close)
			cfg := config(at)
			cfg.Endpoint = proxy.URL
			for name, call := range calls(t.Context(), openBucket(t, cfg), "a") {
				require.True(t, Unavailable(call()), name)
			}
		})
	}
}

func TestOverloadedForAMoment(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	put(t, openBucket(t, config(at)), "a", "text")
	var asked atomic.Int64
	proxy := httptest.NewServer(devtest.Before(t, at, func(w http.ResponseWriter, _ *http.Request) bool {
		first := asked.Add(1) == 1
		if first {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return first
	}))
	t.Cleanup(proxy.Close)
	cfg := config(at)
	cfg.Endpoint = proxy.URL
	require.Equal(t, "text", get(t, openBucket(t, cfg), "a"))
	require.EqualValues(t, 2, asked.Load())
}

func TestCallerHasLeft(t *testing.T) {
	t.Parallel()
	b := openBucket(t, config(devtest.NewBucket(t)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(ctx, b, "a") {
		err := call()
		require.ErrorIs(t, err, context.Canceled, name)
		require.False(t, Unavailable(err), name)
	}
}

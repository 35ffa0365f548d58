package bucket

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/devserver/devtest"
)

// hide deletes as a plain delete does where versions are kept: it puts a mark over them.
func hide(t *testing.T, b *Bucket, key string) {
	t.Helper()
	require.NoError(t, b.client.RemoveObject(t.Context(), b.name, key, minio.RemoveObjectOptions{}))
}

// left returns the keys of all versions and marks.
func left(t *testing.T, b *Bucket) []string {
	t.Helper()
	var keys []string
	for info := range b.client.ListObjectsIter(t.Context(), b.name, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		require.NoError(t, info.Err)
		keys = append(keys, info.Key)
	}
	return keys
}

func TestDelete(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		ctx := t.Context()
		for _, key := range []string{"u/a", "u/a", "u/a", "u/ab", "u/b", "u/hidden", "u/hidden"} {
			put(t, b, key, "text")
		}
		hide(t, b, "u/a")
		hide(t, b, "u/hidden")
		require.Len(t, left(t, b), 9)

		require.NoError(t, b.Delete(ctx))
		require.NoError(t, b.Delete(ctx, "u/a", "u/hidden", "u/none"))
		require.Equal(t, []string{"u/ab", "u/b"}, left(t, b))
		require.NoError(t, b.Delete(ctx, "u/a", "u/hidden", "u/none"))
		require.NoError(t, b.Delete(ctx, "u/ab", "u/b", "u/b"))
		require.Empty(t, left(t, b))
	})
}

// TestDeleteThatFailsForOne stands before the server and fails with one version of a request, as S3 may.
func TestDeleteThatFailsForOne(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	put(t, openBucket(t, config(at)), "a", "text")
	var fails atomic.Int64
	proxy := httptest.NewServer(devtest.Before(t, at, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || fails.Add(-1) < 0 {
			return false
		}
		var asked struct {
			Object struct {
				Key       string
				VersionID string `xml:"VersionId"`
			}
		}
		if err := xml.NewDecoder(r.Body).Decode(&asked); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		_, _ = fmt.Fprintf(w, "<DeleteResult><Error><Key>%s</Key><VersionId>%s</VersionId><Code>InternalError</Code></Error></DeleteResult>",
			asked.Object.Key, asked.Object.VersionID)
		return true
	}))
	t.Cleanup(proxy.Close)
	cfg := config(at)
	cfg.Endpoint = proxy.URL
	b := openBucket(t, cfg)
	fails.Store(2)
	require.True(t, Unavailable(b.Delete(t.Context(), "a")))
	require.Equal(t, []string{"a"}, left(t, b))
	fails.Store(1)
	require.NoError(t, b.Delete(t.Context(), "a"))
	require.Empty(t, left(t, b))
}

// TestDeleteMany deletes more versions than a list or a request holds.
func TestDeleteMany(t *testing.T) {
	t.Parallel()
	b := openBucket(t, config(devtest.NewBucket(t)))
	var group errgroup.Group
	group.SetLimit(4)
	for _, key := range slices.Concat(slices.Repeat([]string{"u/a"}, batch+10), []string{"u/b", "u/c", "u/d"}) {
		group.Go(func() error { return b.Put(t.Context(), key, "text/plain", http.NoBody, 0) })
	}
	require.NoError(t, group.Wait())
	require.NoError(t, b.Delete(t.Context(), "u/a", "u/b", "u/c"))
	require.Equal(t, []string{"u/d"}, left(t, b))
}

// TestDeleteFromACrowd deletes keys that are far apart among many others, close to each other, and of several folders.
func TestDeleteFromACrowd(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		var keys, want []string
		var group errgroup.Group
		group.SetLimit(8)
		for n := range 60 {
			key := fmt.Sprintf("u/%02d", n)
			if n%29 == 0 || n/10 == 3 {
				keys = append(keys, key)
			} else {
				want = append(want, key)
			}
			group.Go(func() error {
				err := b.Put(t.Context(), key, "text/plain", http.NoBody, 0)
				if n%2 == 0 {
					err = errors.Join(err, b.Put(t.Context(), key, "text/plain", http.NoBody, 0), b.client.RemoveObject(t.Context(), b.name, key, minio.RemoveObjectOptions{}))
				}
				return err
			})
			if slices.Contains(want, key) && n%2 == 0 {
				want = append(want, key, key)
			}
		}
		require.NoError(t, group.Wait())
		for _, key := range []string{"v/1/clean", "v/1/thumb", "v/2/clean", "v/2/thumb", "top"} {
			put(t, b, key, "text")
		}
		require.NoError(t, b.Delete(t.Context(), append(keys, "v/2/thumb", "top", "v/1/clean", "v/3/clean")...))
		require.ElementsMatch(t, append(want, "v/1/thumb", "v/2/clean"), left(t, b))
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		var want []string
		for n := range 7 {
			key := fmt.Sprintf("uploads/%d/a", n)
			put(t, b, key, "old")
			put(t, b, key, "newer")
			want = append(want, key)
		}
		for _, other := range []string{"media/a", "uploads/hidden", "uploadsx", "v"} {
			put(t, b, other, "text")
		}
		hide(t, b, "uploads/hidden")
		for _, limit := range []int{1, 2, 3, 7, 8} {
			var got []string
			for after, full := "", true; full; {
				page, err := b.List(t.Context(), "uploads/", after, limit)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), limit)
				for _, o := range page {
					require.EqualValues(t, len("newer"), o.Size)
					require.WithinDuration(t, time.Now(), o.ModifiedAt, time.Minute)
					got, after = append(got, o.Key), o.Key
				}
				full = len(page) == limit
			}
			require.Equal(t, want, got, "limit %d", limit)
		}
		none, err := b.List(t.Context(), "nothing/", "", 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

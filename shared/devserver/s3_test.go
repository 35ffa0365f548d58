package devserver

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
)

func startS3(t *testing.T, o Options) *S3 {
	t.Helper()
	s, err := StartS3(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, s.Server) })
	return s
}

func openS3(t *testing.T, s *S3, address, secretKey string) *minio.Client {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(address, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(s.AccessKey(), secretKey, ""), Region: Region, MaxRetries: 1,
	})
	require.NoError(t, err)
	return client
}

func put(ctx context.Context, client *minio.Client, text string) error {
	_, err := client.PutObject(ctx, "homes", "a/b.txt", strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{})
	return err
}

func requireObject(t *testing.T, want string, client *minio.Client) {
	t.Helper()
	object, err := client.GetObject(t.Context(), "homes", "a/b.txt", minio.GetObjectOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, object.Close()) }()
	text, err := io.ReadAll(object)
	require.NoError(t, err)
	require.Equal(t, want, string(text))
}

func versions(ctx context.Context, client *minio.Client) []minio.ObjectInfo {
	return slices.Collect(client.ListObjectsIter(ctx, "homes", minio.ListObjectsOptions{WithVersions: true, Recursive: true}))
}

func TestS3(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := folder(t)
	s := startS3(t, Options{Dir: dir})
	require.NoError(t, s.CreateBucket(ctx, "homes"))
	require.NoError(t, s.CreateBucket(ctx, "homes"))
	client := openS3(t, s, s.URL(), s.SecretKey())
	require.NoError(t, put(ctx, client, "one"))
	require.NoError(t, put(ctx, client, "two"))
	require.Len(t, versions(ctx, client), 2)

	_, err := openS3(t, s, s.URL(), "another").ListBuckets(ctx)
	require.Equal(t, http.StatusForbidden, minio.ToErrorResponse(err).StatusCode)
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.PID()))
	require.NoError(t, err)
	require.NotContains(t, string(line), s.SecretKey())

	s.Pause()
	soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err = client.ListBuckets(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	s.Resume()

	// What is there survives a crash, and another run with other keys.
	require.NoError(t, s.Kill())
	require.NoError(t, s.Start(ctx))
	requireObject(t, "two", client)
	stop(t, s.Server)
	_, err = client.ListBuckets(ctx)
	require.Error(t, err)
	again := startS3(t, Options{Dir: dir})
	require.NotEqual(t, s.SecretKey(), again.SecretKey())
	require.NoError(t, again.CreateBucket(ctx, "homes"))
	client = openS3(t, again, again.URL(), again.SecretKey())
	requireObject(t, "two", client)
	require.NoError(t, put(ctx, client, "three"))

	require.NoError(t, again.DropBucket("homes"))
	require.NoError(t, again.DropBucket("homes"))
	exists, err := client.BucketExists(ctx, "homes")
	require.NoError(t, err)
	require.False(t, exists)
	require.NoError(t, again.CreateBucket(ctx, "homes"))
	require.Empty(t, versions(ctx, client))
}

func TestS3ForANetwork(t *testing.T) {
	t.Parallel()
	s := startS3(t, Options{Dir: folder(t), Host: beside})
	for _, address := range []string{s.URL(), s.NetworkURL()} {
		_, err := openS3(t, s, address, s.SecretKey()).ListBuckets(t.Context())
		require.NoError(t, err)
		_, err = openS3(t, s, address, "another").ListBuckets(t.Context())
		require.Equal(t, http.StatusForbidden, minio.ToErrorResponse(err).StatusCode)
	}
	require.Contains(t, s.NetworkURL(), beside)
}

func TestS3PortTaken(t *testing.T) {
	t.Parallel()
	s := startS3(t, Options{Dir: folder(t)})
	require.ErrorIs(t, s.probe(t.Context(), startS3(t, Options{Dir: folder(t)}).Port(), 0), errTaken)
	_, err := StartS3(t.Context(), Options{Dir: folder(t), Port: s.Port()})
	require.ErrorContains(t, err, fmt.Sprintf("port %d: taken", s.Port()))
}

// TestBuild builds a program of a module of its own, by several at once.
func TestBuild(t *testing.T) {
	t.Parallel()
	source, bin := t.TempDir(), t.TempDir()
	program := filepath.Join(bin, "made", "hello")
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(source, name), []byte(text), 0o600))
	}
	write("go.mod", "module hello\n\ngo 1.26\n")
	write("main.go", "package main\n\nfunc main() {}\n")
	errs := make([]error, 3)
	var builders sync.WaitGroup
	for n := range errs {
		builders.Go(func() { _, errs[n] = build(t.Context(), source, program, "hello") })
	}
	builders.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	first, err := os.Stat(program)
	require.NoError(t, err)

	_, err = build(t.Context(), source, program, "hello")
	require.NoError(t, err)
	second, err := os.Stat(program)
	require.NoError(t, err)
	require.Equal(t, first.ModTime(), second.ModTime())

	// A go.mod that is newer asks for another.
	later := time.Now().Add(time.Minute)
	require.NoError(t, os.Chtimes(filepath.Join(source, "go.mod"), later, later))
	write("main.go", "package main\n\nfunc main() { no }\n")
	_, err = build(t.Context(), source, program, "hello")
	require.ErrorContains(t, err, "build hello in "+source)
	require.ErrorContains(t, err, "undefined: no")

	// Somebody else builds, for longer than we wait.
	lock, err := lockBuild(t.Context(), program+".lock")
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Close()) }()
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = build(soon, source, program, "hello")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "wait for another build")
}

// TestPlace puts the program where one is already, by a link and, as between file systems, by copying.
func TestPlace(t *testing.T) {
	t.Parallel()
	program, placed, copied := filepath.Join(t.TempDir(), "program"), filepath.Join(t.TempDir(), "placed"), filepath.Join(t.TempDir(), "copied")
	require.NoError(t, os.WriteFile(program, []byte("text"), 0o600))
	require.NoError(t, place(program, placed))
	require.NoError(t, place(program, placed))
	require.NoError(t, copyFile(program, copied))
	for _, path := range []string{placed, copied} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "text", string(text))
	}
	info, err := os.Stat(placed)
	require.NoError(t, err)
	require.EqualValues(t, 0o755, info.Mode().Perm())
	require.ErrorIs(t, place(filepath.Join(t.TempDir(), "none"), placed), fs.ErrNotExist)
}

func TestWorkspace(t *testing.T) {
	t.Parallel()
	root, err := Workspace()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.work"))
}

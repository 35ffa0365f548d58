package local

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Root clones into its home, which is closed to the user whom root's servers run as.
func TestServersInClosedFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // closed as well
	require.NoError(t, os.Chmod(dir, 0o700))
	dir = filepath.Join(dir, ".run")
	require.NoError(t, os.Mkdir(dir, 0o755))
	where, err := serversDir(dir)
	require.NoError(t, err)
	if where != dir {
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(where)) })
	}
	require.Equal(t, os.Geteuid() != 0, where == dir)

	for range 2 { // the second time on the same data
		s, err := startServers(t.Context(), dir, false, slog.New(slog.DiscardHandler))
		t.Cleanup(func() { require.NoError(t, s.stop(context.WithoutCancel(t.Context()))) })
		require.NoError(t, err)
		require.NoError(t, s.postgres.Exec(t.Context(), database, "CREATE TABLE IF NOT EXISTS kept ()"))
		require.NoError(t, s.stop(t.Context()))
		require.DirExists(t, filepath.Join(where, "postgres"))
		require.DirExists(t, filepath.Join(where, "versitygw", "buckets", bucket))
	}
	again, err := serversDir(dir)
	require.NoError(t, err)
	require.Equal(t, where, again)
}

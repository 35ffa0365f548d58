package local

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// script writes a program, and returns its path.
func script(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
	return path
}

func TestInstall(t *testing.T) {
	t.Parallel()
	const (
		record    = `echo "$DEBIAN_FRONTEND $SYSTEMD_OFFLINE $*" >>"$(dirname "$0")/said"`
		recorded  = "noninteractive 1 -o DPkg::Lock::Timeout=120 "
		installed = recorded + "update\n" + recorded + "install --yes --no-install-recommends postgresql redis-server\n"
	)
	tests := map[string]struct {
		apt, sudo  string
		root       bool
		said, want string
	}{
		"root":               {apt: record, root: true, said: installed},
		"sudo":               {apt: record, sudo: `[ "$1" = --non-interactive ] && shift && exec "$@"`, said: installed},
		"sudo asks":          {apt: record, sudo: "exit 1", want: "not root: sudo apt-get install --yes --no-install-recommends postgresql redis-server"},
		"nobody has sudo":    {apt: record, want: "not root: sudo apt-get install"},
		"no apt":             {root: true, want: "(Debian: apt-get install --yes --no-install-recommends postgresql redis-server)"},
		"apt fails":          {apt: "echo E: no such package; exit 100", root: true, want: "E: no such package"},
		"install comes last": {apt: record + `; [ "$3" = install ] && echo E: no room && exit 100; true`, root: true, said: installed, want: "E: no room"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			i := installer{apt: filepath.Join(dir, "apt-get"), sudo: filepath.Join(dir, "sudo"), root: tt.root, log: slog.New(slog.DiscardHandler)}
			if tt.apt != "" {
				script(t, dir, "apt-get", tt.apt)
			}
			if tt.sudo != "" {
				script(t, dir, "sudo", tt.sudo)
			}
			err := i.install(t.Context(), []string{"postgresql", "redis-server"})
			if tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
			said, err := os.ReadFile(filepath.Join(dir, "said"))
			if tt.said == "" {
				require.ErrorIs(t, err, os.ErrNotExist)
			}
			require.Equal(t, tt.said, string(said))
		})
	}
}

func TestInstallIsNotCutShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	apt := script(t, dir, "apt-get", `cd "$(dirname "$0")"; touch begun; until [ -e go ]; do sleep 0.01; done; echo "$3" >>done`)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- installer{apt: apt, root: true, log: slog.New(slog.DiscardHandler)}.install(ctx, []string{"postgresql"})
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(at("begun")); return err == nil }, 10*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, os.WriteFile(at("go"), nil, 0o600))
	require.ErrorIs(t, <-result, context.Canceled)
	done, err := os.ReadFile(at("done"))
	require.NoError(t, err)
	require.Equal(t, "update\n", string(done), "what has begun ends, and nothing begins after")
}

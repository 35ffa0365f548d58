package cluster

import (
	"io"
	"log"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// TestAnotherClusterIsLeftAlone: on a cluster that is not this machine, kubectl is asked for the nodes at most.
func TestAnotherClusterIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		host  string // CLUSTER_HOST_ADDRESS
		says  string // kubectl, in shell
		fails string
		calls int
	}{
		"another node":          {"127.0.0.1", `printf 192.0.2.1`, "nodes that are not this machine", 1},
		"one more node":         {"127.0.0.1", `printf '127.0.0.1 192.0.2.1'`, "nodes that are not this machine", 1},
		"no answer":             {"127.0.0.1", `echo refused >&2; exit 1`, "refused", 1},
		"a foreign own address": {"192.0.2.1", `printf 192.0.2.1`, "no address of this machine", 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			calls := filepath.Join(dir, "calls")
			script := "#!/bin/sh\necho \"$@\" >>'" + calls + "'\n" + c.says + "\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "kubectl"), []byte(script), 0o700))
			t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			t.Setenv("TMPDIR", dir)

			_, err := Up(t.Context(), Environment{
				Kubeconfig: filepath.Join(dir, "config"), Ingress: &url.URL{Scheme: "http", Host: "127.0.0.1:8000"}, Host: netip.MustParseAddr(c.host),
			}, io.Discard)
			require.ErrorContains(t, err, c.fails)
			made, err := os.ReadFile(calls)
			if c.calls == 0 {
				require.ErrorIs(t, err, os.ErrNotExist)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.calls, strings.Count(string(made), "\n"), string(made))
			require.Contains(t, string(made), "get nodes")
		})
	}
}

// TestAMissingBaseImageIsNamed: a registry that was started anew knows no image.
func TestAMissingBaseImageIsNamed(t *testing.T) {
	t.Parallel()
	registry := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer registry.Close()
	image := strings.TrimPrefix(registry.URL, "http://") + "/static:latest"
	require.ErrorContains(t, hasImage(t.Context(), image), "push it again")

	tag, err := name.NewTag(image)
	require.NoError(t, err)
	require.NoError(t, remote.Write(tag, empty.Image, remote.WithContext(t.Context())))
	require.NoError(t, hasImage(t.Context(), image))
}

func TestWhatTraefikLacks(t *testing.T) {
	t.Parallel()
	one := addition{Op: "add", Value: "--entrypoints.web.trusted=127.0.1.0/24"}
	two := addition{Op: "add", Value: "--entrypoints.private.trusted=10.0.0.1/32"}
	missing, err := lacking([]addition{one, two}, []string{"--ping=true", one.Value})
	require.NoError(t, err)
	require.Equal(t, []addition{two}, missing)
	missing, err = lacking([]addition{one, two}, []string{two.Value, one.Value})
	require.NoError(t, err)
	require.Empty(t, missing)
	_, err = lacking([]addition{one}, []string{"--entrypoints.web.trusted=0.0.0.0/0"})
	require.ErrorContains(t, err, "another value")
}

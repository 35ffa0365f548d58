package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../../.."

// copied returns a folder with what the command reads and writes of the project.
func copied(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for to, from := range map[string]string{
		"k3s/cluster.env": "k3s/cluster.env.example", "k3s/firewall/cloudflare.txt": "", "k3s/traefik/config.yaml": "",
		"knative/overlays/production/honeydue.env": "",
	} {
		if from == "" {
			from = to
		}
		content, err := os.ReadFile(filepath.Join(root, from))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, to)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(folder, to), content, 0o600))
	}
	return folder
}

// everything returns all files below the folder.
func everything(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // a folder of the test's own
		all[strings.TrimPrefix(path, folder)] = string(content)
		return err
	}))
	return all
}

func TestRulesTwiceAreTheSame(t *testing.T) {
	t.Parallel()
	folder, out := copied(t), t.TempDir()
	var said bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-root", folder, "rules", "honeydue-2", out}, &said))
	first := everything(t, out)
	require.Contains(t, first, "/etc/ufw/user.rules")
	require.Len(t, first, strings.Count(said.String(), "\n"))
	require.NoError(t, run(t.Context(), []string{"-root", folder, "rules", "honeydue-2", out}, &said))
	require.Equal(t, first, everything(t, out))
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	answer, status := "", http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	folder := copied(t)
	before := everything(t, folder)
	refresh := func() error {
		return run(t.Context(), []string{"-root", folder, "-from", server.URL, "refresh"}, &bytes.Buffer{})
	}
	check := func() error { return run(t.Context(), []string{"-root", folder, "check"}, &bytes.Buffer{}) }

	answer = strings.TrimPrefix(before["/k3s/firewall/cloudflare.txt"], "# Networks of the edge: https://www.cloudflare.com/ips-v4\n")
	require.NoError(t, refresh())
	require.Equal(t, before, everything(t, folder), "nothing new changes nothing")

	for said, wrong := range map[string]struct {
		status int
		text   string
	}{
		"answered 503":              {http.StatusServiceUnavailable, answer},
		"there are no networks":     {http.StatusOK, ""},
		"is not a public":           {http.StatusOK, "<!doctype html>"},
		"of 15 networks only 1 are": {http.StatusOK, "104.16.0.0/13\n"},
	} {
		status = wrong.status
		whole := answer
		answer = wrong.text
		require.ErrorContains(t, refresh(), said)
		require.Equal(t, before, everything(t, folder), said)
		answer, status = whole, http.StatusOK
	}

	answer = strings.Replace(answer, "131.0.72.0/22", "131.0.72.0/23\n188.42.88.0/24", 1)
	require.NoError(t, refresh())
	after := everything(t, folder)
	for _, path := range []string{"/k3s/firewall/cloudflare.txt", "/k3s/traefik/config.yaml", "/knative/overlays/production/honeydue.env"} {
		require.Contains(t, after[path], "188.42.88.0/24", path)
		require.NotContains(t, after[path], "131.0.72.0/22", path)
	}
	require.NoError(t, check())
	path := filepath.Join(folder, "knative/overlays/production/honeydue.env")
	require.NoError(t, os.WriteFile(path, []byte(before["/knative/overlays/production/honeydue.env"]), 0o600))
	require.ErrorContains(t, check(), "honeydue.env has other networks than k3s/firewall/cloudflare.txt")
	require.NoError(t, os.WriteFile(path, []byte("TRUSTED_PROXIES=\n"), 0o600))
	require.ErrorContains(t, refresh(), "names the edge's networks 0 times")
}

func TestWrongWords(t *testing.T) {
	t.Parallel()
	folder := copied(t)
	for said, args := range map[string][]string{
		"usage":                        {},
		"usage, in the project's root": {"rules", "honeydue-1"},
		"flag provided but not":        {"-node", "x"},
		"there is no node":             {"-root", folder, "rules", "honeydue-9", t.TempDir()},
		"copy k3s/cluster.env.example": {"-root", folder, "-cluster", "k3s/other.env", "rules", "honeydue-1", t.TempDir()},
		"ask for networks":             {"-root", folder, "-from", "http://127.0.0.1:1/", "refresh"},
	} {
		require.ErrorContains(t, run(t.Context(), args, &bytes.Buffer{}), said)
	}
}

package main

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	last := func(kind string) time.Time {
		at, err := watched[kind](t.Context(), b.cfg, b.store)
		require.NoError(t, err)
		return at
	}
	require.Zero(t, last("database"), "without any")

	const half = "2026-03-02T021700Z" // a dump whose list is missing is none
	require.NoError(t, b.store.Put(t.Context(), folder+half+dumpSuffix, "", strings.NewReader("x"), 1))
	require.Zero(t, last("database"))
	name := b.dump(t)
	at, err := time.Parse(nameStyle, name)
	require.NoError(t, err)
	require.Equal(t, at, last("database"))

	b.cfg.Snapshots = "etcd/"
	require.Zero(t, last("etcd"))
	before := time.Now().Add(-time.Minute)
	require.NoError(t, b.store.Put(t.Context(), "etcd/on-demand-honeydue-1-1772409600", "", strings.NewReader("x"), 1))
	require.WithinRange(t, last("etcd"), before, time.Now().Add(time.Minute))

	var out bytes.Buffer
	require.NoError(t, note(t.Context(), &out, lastBackup, attribute.String("kind", "etcd"), time.Time{}))
	require.Equal(t, "kind etcd: 1970-01-01T00:00:00Z\n", out.String())
	for _, args := range [][]string{{"watch"}, {"watch", "photos"}} {
		require.ErrorContains(t, command(t.Context(), args, &out), "usage:")
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	good := file("good", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	var out bytes.Buffer
	require.NoError(t, certificates(t.Context(), []string{"origin=" + good}, &out))
	require.Equal(t, "name origin: "+server.Certificate().NotAfter.UTC().Format(time.RFC3339)+"\n", out.String())

	for _, c := range []struct{ file, want string }{
		{good, "not of the form name=path"},
		{"a=" + filepath.Join(folder, "none"), "no such file"},
		{"a=" + file("key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))), "does not begin with a certificate"},
		{"a=" + file("text", "x"), "does not begin with a certificate"},
		{"a=" + file("broken", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))), "read "},
	} {
		out.Reset()
		err := certificates(t.Context(), []string{c.file, "origin=" + good}, &out)
		require.ErrorContains(t, err, c.want)
		if strings.HasPrefix(c.file, "a=") {
			require.Contains(t, out.String(), "name origin:", "what can be read is told of all the same")
		}
	}
	require.ErrorContains(t, command(t.Context(), []string{"certificates", "origin=" + good}, &out), "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is not set")
	require.ErrorContains(t, command(t.Context(), []string{"certificates"}, &out), "usage:")
}

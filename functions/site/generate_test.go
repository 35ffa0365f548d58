package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/require"
)

// updating returns whether the tests run with -update, which functiontest declares.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// The pictures are what the drawings say.
func TestPictures(t *testing.T) {
	t.Parallel()
	for _, picture := range []struct {
		path, drawing string
		width         int
	}{
		{"assets/icon-32.png", "assets/icon.svg", 32},
		{"assets/icon-180.png", "testdata/touch.svg", 180},
		{"assets/card.png", "testdata/card.svg", 1200},
	} {
		img, err := drawn(picture.drawing, picture.width)
		require.NoError(t, err)
		var encoded bytes.Buffer
		require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&encoded, img))
		if updating() {
			require.NoError(t, os.WriteFile(picture.path, encoded.Bytes(), 0o600))
		}
		kept, err := os.ReadFile(picture.path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(encoded.Bytes(), kept), "%s is not what is drawn: run make generate", picture.path)
	}
}

// Everything that can be smaller is packed, for the settings of every overlay, and nothing else lies there.
func TestPacked(t *testing.T) {
	t.Parallel()
	bodies := map[string][]byte{}
	for _, said := range overlays(t) {
		for _, f := range files(t, newService(nil, nil, said)) {
			if len(f.forms) > 1 {
				bodies[f.name] = f.forms[len(f.forms)-1].body
			}
		}
	}
	if updating() {
		require.NoError(t, os.RemoveAll("packed"))
		require.NoError(t, os.Mkdir("packed", 0o755))
		for name, body := range bodies {
			small, err := gzipped(body)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile("packed/"+name+".gz", small, 0o600))
			require.NoError(t, os.WriteFile("packed/"+name+".br", smallest(t, body), 0o600))
		}
	}
	found, err := filepath.Glob("packed/*")
	require.NoError(t, err)
	require.Len(t, found, 2*len(bodies), "packed is not what is served: run make generate")
	for name, body := range bodies {
		for coding, ending := range map[string]string{"br": ".br", "gzip": ".gz"} {
			small, err := os.ReadFile("packed/" + name + ending)
			require.NoError(t, err, "packed is not what is served: run make generate")
			require.True(t, bytes.Equal(body, unpacked(t, coding, small)), name)
			require.Less(t, len(small), len(body), name)
		}
	}
}

// files are all that depend on nothing but the settings.
func files(t *testing.T, s *service) []file {
	t.Helper()
	made := []func() (file, error){s.docs.openapi, s.docs.calls, s.docs.problems, s.docs.style, s.public.missing, s.public.robots, s.public.sitemap}
	for _, page := range pages() {
		made = append(made, s.public.rendered(page))
	}
	assets, err := s.public.assets()
	require.NoError(t, err)
	var all []file
	for _, f := range assets.files {
		all = append(all, f)
	}
	for _, one := range made {
		f, err := one()
		require.NoError(t, err)
		all = append(all, f)
	}
	return all
}

// overlays are the settings that a deployment has: what the manifest says, with what an overlay sets.
func overlays(t *testing.T) []settings {
	t.Helper()
	paths, err := filepath.Glob("../../knative/overlays/*/honeydue.env")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := []settings{production(t)}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		said := production(t)
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch name {
			case "APP_STORE_URL":
				said.AppStoreURL = value
			case "PLAY_STORE_URL":
				said.PlayStoreURL = value
			}
		}
		said, err = said.check()
		require.NoError(t, err, path)
		all = append(all, said)
	}
	return all
}

// production are the settings without any that are left to an overlay.
func production(t *testing.T) settings {
	t.Helper()
	said, err := settings{PublicURL: "https://myhoneydue.com", SupportEmail: "hello@myhoneydue.com"}.check()
	require.NoError(t, err)
	return said
}

func smallest(t *testing.T, body []byte) []byte {
	t.Helper()
	var small bytes.Buffer
	w := brotli.NewWriterLevel(&small, brotli.BestCompression)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return small.Bytes()
}

func read(t *testing.T, answer *http.Response) []byte {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return body
}

// unpacked undoes a content coding.
func unpacked(t *testing.T, coding string, body []byte) []byte {
	t.Helper()
	reader := io.Reader(bytes.NewReader(body))
	switch coding {
	case "br":
		reader = brotli.NewReader(reader)
	case "gzip":
		var err error
		reader, err = gzip.NewReader(reader)
		require.NoError(t, err)
	}
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	return plain
}

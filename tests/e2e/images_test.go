//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// machines are the platforms that every image is made for.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// TestImages builds one function's image as production does and reads what is in it.
func TestImages(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://")
	base := pushBase(ctx, t, repository)

	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	image := makeImage(ctx, t, root, repository, base)
	require.Equal(t, repository+"/site", image.Context().Name())
	again := makeImage(ctx, t, copyCheckout(t, root), repository, base)
	require.Equal(t, image, again, "built in another folder, without the repository's history")

	index, err := remote.Index(image, remote.WithContext(ctx))
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, len(machines))
	for _, d := range manifest.Manifests {
		require.Equal(t, "linux", d.Platform.OS)
		require.Contains(t, machines, d.Platform.Architecture)
		t.Run(d.Platform.Architecture, func(t *testing.T) {
			platform, err := index.Image(d.Digest)
			require.NoError(t, err)
			requireConfig(t, platform, d.Platform.Architecture)
			requireFiles(t, platform, machines[d.Platform.Architecture])
			requireParts(ctx, t, image.Context(), d.Digest)
		})
	}
}

// TestBaseOfProductionIsPinned: a tag would put other files under the same source.
func TestBaseOfProductionIsPinned(t *testing.T) {
	config, err := os.ReadFile("../../.ko.yaml")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^defaultBaseImage: \S+@sha256:[0-9a-f]{64}$`, string(config))
}

// pushBase makes a base for both platforms of the cluster's, which is for one, and returns its address. Nothing of
// it is for a machine of some kind: certificates, time zones and the names of users.
func pushBase(ctx context.Context, t *testing.T, repository string) string {
	from, err := name.ParseReference(os.Getenv("KO_DEFAULTBASEIMAGE"))
	require.NoError(t, err, "KO_DEFAULTBASEIMAGE")
	base, err := remote.Image(from, remote.WithContext(ctx))
	require.NoError(t, err)
	config, err := base.ConfigFile()
	require.NoError(t, err)
	index := v1.ImageIndex(empty.Index)
	for architecture := range machines {
		config = config.DeepCopy()
		config.Architecture = architecture
		image, err := mutate.ConfigFile(base, config)
		require.NoError(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	to, err := name.NewTag(repository + "/base:both")
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(to, index, remote.WithContext(ctx)))
	return to.Name()
}

// makeImage runs `make images` in a checkout and returns what it prints: the image by its digest.
func makeImage(ctx context.Context, t *testing.T, checkout, repository, base string) name.Digest {
	cmd := exec.CommandContext(ctx, "make", "images", "FUNCTIONS=./functions/site")
	cmd.Dir = checkout
	// Nothing of a make that runs this test.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "KO_DOCKER_REPO="+repository, "KO_DEFAULTBASEIMAGE="+base)
	var progress bytes.Buffer
	cmd.Stderr = &progress
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &progress)
	digest, err := name.NewDigest(strings.TrimSpace(string(out)))
	require.NoError(t, err)
	return digest
}

// copyCheckout returns a folder with the workspace's source and tools.
func copyCheckout(t *testing.T, root string) string {
	to := t.TempDir()
	for _, module := range []string{"events", "functions", "k3s", "knative", "shared", "tests"} {
		require.NoError(t, os.CopyFS(filepath.Join(to, module), os.DirFS(filepath.Join(root, module))))
	}
	for _, file := range []string{".ko.yaml", "Makefile", "go.work", "go.work.sum"} {
		content, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, file), content, 0o600))
	}
	for _, folder := range []string{"bin", "tools"} {
		require.NoError(t, os.Symlink(filepath.Join(root, folder), filepath.Join(to, folder)))
	}
	return to
}

func requireConfig(t *testing.T, image v1.Image, architecture string) {
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, architecture, config.Architecture)
	require.Equal(t, []string{"/ko-app/site"}, config.Config.Entrypoint)
	user, _, _ := strings.Cut(config.Config.User, ":")
	require.Equal(t, "65532", user)
	require.True(t, config.Created.IsZero(), "made at %s, which the next build is not", config.Created)
}

// requireFiles requires certificates, time zones and a static program for the machine, and that nothing else can be
// executed: no shell.
func requireFiles(t *testing.T, image v1.Image, machine elf.Machine) {
	files := mutate.Extract(image)
	defer func() { require.NoError(t, files.Close()) }()
	names, executable := map[string]bool{}, map[string][]byte{}
	for archive := tar.NewReader(files); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		file := path.Clean("/" + header.Name)
		names[file] = true
		if header.Typeflag != tar.TypeReg || header.Mode&0o111 == 0 {
			continue
		}
		require.Zero(t, header.Mode&0o6222, "%s can be changed, or runs as another", file)
		executable[file], err = io.ReadAll(archive)
		require.NoError(t, err)
	}
	require.Contains(t, names, "/etc/ssl/certs/ca-certificates.crt")
	require.Contains(t, names, "/usr/share/zoneinfo/America/Chicago")
	require.Len(t, executable, 1)
	program, err := elf.NewFile(bytes.NewReader(executable["/ko-app/site"]))
	require.NoError(t, err)
	require.Equal(t, machine, program.Machine)
	require.Nil(t, program.Section(".interp"))
	libraries, err := program.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
}

// requireParts requires a list of the program's modules beside the image, as SPDX.
func requireParts(ctx context.Context, t *testing.T, repository name.Repository, image v1.Hash) {
	list, err := remote.Image(repository.Tag(image.Algorithm+"-"+image.Hex+".sbom"), remote.WithContext(ctx))
	require.NoError(t, err)
	layers, err := list.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 1)
	content, err := layers[0].Uncompressed()
	require.NoError(t, err)
	var parts struct {
		Version  string `json:"spdxVersion"`
		Packages []struct {
			Name    string `json:"name"`
			Version string `json:"versionInfo"`
		} `json:"packages"`
	}
	require.NoError(t, json.NewDecoder(content).Decode(&parts))
	require.NotEmpty(t, parts.Version)
	found := map[string]string{}
	for _, p := range parts.Packages {
		found[p.Name] = p.Version
	}
	require.Regexp(t, `^v5\.\d+\.\d+$`, found["github.com/jackc/pgx/v5"])
}

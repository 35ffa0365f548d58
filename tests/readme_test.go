package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/tests/story"
)

// TestReadmeWalk runs the commands of the README as they are printed there.
func TestReadmeWalk(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, walk, found := strings.Cut(string(readme), "```bash\n")
	require.True(t, found)
	walk, _, found = strings.Cut(walk, "```")
	require.True(t, found)
	s := system(t)
	_, port, found := strings.Cut(s.URL, "127.0.0.1:")
	require.True(t, found)
	bash := exec.CommandContext(within(t, 2*time.Minute), "bash", "-euo", "pipefail", "-c", walk)
	bash.Env = append(os.Environ(), "PORT="+port)
	printed, err := bash.CombinedOutput()
	require.NoError(t, err, string(printed))
	require.Contains(t, string(printed), "completed_tasks")
	require.Contains(t, string(printed), "Two nests, both empty.", "the mail of the second member")
}

// TestEveryPathIsRouted: a call that the document promises is reached through the manifests' routes.
func TestEveryPathIsRouted(t *testing.T) {
	t.Parallel()
	manifests, err := knative.Read()
	require.NoError(t, err)
	s := system(t)
	var document struct{ Paths map[string]any }
	require.NoError(t, story.NewPhone(s.URL).Read(within(t, time.Minute), "/api/openapi.json", &document))
	for path := range document.Paths {
		routed := false
		for _, f := range manifests.Functions {
			for _, prefix := range f.Paths {
				routed = routed || path == prefix || strings.HasPrefix(path, prefix+"/")
			}
		}
		require.True(t, routed, "no route leads to %s", path)
	}
}

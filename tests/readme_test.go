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

// TestReadmeWalk runs the commands of the README as they are printed there, in one shell, with either form of sending files.
func TestReadmeWalk(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var walk strings.Builder
	for _, block := range strings.Split(string(readme), "```bash\n")[1:] {
		commands, _, _ := strings.Cut(block, "```")
		walk.WriteString(commands)
	}
	for _, on := range []*sharedSystem{shared, putting} {
		t.Run(on.method, func(t *testing.T) {
			t.Parallel()
			_, port, found := strings.Cut(on.running(t).URL, "127.0.0.1:")
			require.True(t, found)
			bash := exec.CommandContext(within(t, 2*time.Minute), "bash", "-euo", "pipefail", "-c", walk.String())
			bash.Env = append(os.Environ(), "PORT="+port, "TMPDIR="+t.TempDir())
			printed, err := bash.CombinedOutput()
			require.NoError(t, err, string(printed))
			require.Contains(t, string(printed), "completed_tasks")
			require.Contains(t, string(printed), "Two nests, both empty.", "the mail of the second member")
			require.Contains(t, string(printed), "200 image/jpeg", "the photo from the bucket")
		})
	}
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

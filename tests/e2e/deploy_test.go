//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// variant writes an overlay that is the cluster's with patches, and returns what OVERLAY calls it.
func variant(t *testing.T, patches ...string) string {
	t.Helper()
	overlays, err := filepath.Abs(filepath.Join("..", "..", "knative", "overlays"))
	require.NoError(t, err)
	dir := t.TempDir()
	back, err := filepath.Rel(dir, filepath.Join(overlays, "cluster"))
	require.NoError(t, err)
	kustomization := "resources: [" + back + "]\npatches:\n" + strings.Join(patches, "")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(kustomization), 0o600))
	name, err := filepath.Rel(overlays, dir)
	require.NoError(t, err)
	return name
}

// setting is a patch that gives the tasks function one more environment variable, or another value of one.
func setting(name, value string) string {
	return fmt.Sprintf(`  - target: {kind: Service, group: serving.knative.dev, name: tasks}
    patch: |
      - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: %s, value: %q}}
`, name, value)
}

// make runs a target that must succeed.
func makes(ctx context.Context, t *testing.T, c *cluster.Cluster, args ...string) {
	t.Helper()
	_, err := c.Make(ctx, args...)
	require.NoError(t, err)
}

// fails runs a target that must fail, and returns what it printed.
func fails(ctx context.Context, t *testing.T, c *cluster.Cluster, args ...string) string {
	t.Helper()
	printed, err := c.Make(ctx, args...)
	require.Error(t, err, printed)
	return printed
}

// TestCanary: a new revision gets its share and no more, then all of it, then none.
func TestCanary(t *testing.T) {
	const percent, calls = 25, 400
	ctx, c := within(t, 8*time.Minute)
	before := only(t, traffic(ctx, t, c))
	restored(t, c)
	person, err := story.Register(ctx, c.Phone(), "Olive")
	require.NoError(t, err)

	require.Contains(t, fails(ctx, t, c, "promote", "FN=tasks", "OVERLAY=cluster"), "no canary of tasks is under way")
	require.Contains(t, fails(ctx, t, c, "canary", "FN=tasks", "PERCENT=25", "OVERLAY=cluster"), "nothing changed")
	require.Contains(t, fails(ctx, t, c, "canary", "FN=tasks", "PERCENT=100", "OVERLAY=cluster"), "whole number from 1 to 99")
	require.Contains(t, fails(ctx, t, c, "deploy", "FN=task", "OVERLAY=cluster"), "there is no function")
	require.Equal(t, before, only(t, traffic(ctx, t, c)))

	overlay := "OVERLAY=" + variant(t, setting("CANARY", "1"))
	makes(ctx, t, c, "canary", "FN=tasks", fmt.Sprintf("PERCENT=%d", percent), overlay)
	shares := traffic(ctx, t, c)
	require.Len(t, shares, 2)
	require.Equal(t, 100-percent, shares[before])
	require.Contains(t, fails(ctx, t, c, "canary", "FN=tasks", "PERCENT=10", "OVERLAY="+variant(t, setting("CANARY", "2"))), "already")
	require.Contains(t, fails(ctx, t, c, "deploy", "FN=tasks", "OVERLAY=cluster"), "make promote FN=tasks")
	var canary string
	for revision := range shares {
		if revision != before {
			canary = revision
		}
	}
	for range calls {
		require.NoError(t, person.Read(ctx, "/api/lookups/", nil))
	}
	got := handled(ctx, t, c, canary)
	t.Logf("the canary got %d of %d calls, at %d %%", got, calls, percent)
	require.InDelta(t, calls*percent/100, got, calls/10)

	makes(ctx, t, c, "promote", "FN=tasks", "OVERLAY=cluster")
	require.Equal(t, canary, only(t, traffic(ctx, t, c)))
	makes(ctx, t, c, "rollback", "FN=tasks", "OVERLAY=cluster")
	require.Equal(t, before, only(t, traffic(ctx, t, c)))

	makes(ctx, t, c, "canary", "FN=tasks", "PERCENT=50", "OVERLAY="+variant(t, setting("CANARY", "3")))
	makes(ctx, t, c, "rollback", "FN=tasks", "OVERLAY=cluster")
	require.Equal(t, before, only(t, traffic(ctx, t, c)), "a canary that is rolled back leaves what was")
	makes(ctx, t, c, "deploy", "FN=tasks", "OVERLAY=cluster")
	after := only(t, traffic(ctx, t, c))
	require.Equal(t, before+"-2", after, "the same content under a name of its own")
	makes(ctx, t, c, "deploy", "FN=tasks", "OVERLAY=cluster")
	require.Equal(t, after, only(t, traffic(ctx, t, c)), "nothing changed, so nothing is new")
	makes(ctx, t, c, "rollback", "FN=tasks", "OVERLAY=cluster")
	require.Equal(t, before, only(t, traffic(ctx, t, c)), "what served before, not the canary in between")
}

// TestDeployAfterACrash: a program that was killed once does not stand in the way of a deploy that changes nothing.
func TestDeployAfterACrash(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	restored(t, c)
	// Whoever wakes tasks while the pod that was killed is ending has Knative take the new pod for a crashing one.
	undo(t, func(ctx context.Context) { require.NoError(t, c.AwaitZero(ctx, "tasks")) })
	serves(ctx, t, c)
	// Pods of revisions that served before may still be ending, and come first.
	ready := func(p cluster.Pod) bool { return p.Ready && !p.Ending }
	pods, err := c.AwaitPods(ctx, "tasks", func(pods []cluster.Pod) bool { return slices.ContainsFunc(pods, ready) })
	require.NoError(t, err)
	require.NoError(t, pods[slices.IndexFunc(pods, ready)].Kill())
	makes(ctx, t, c, "deploy", "FN=tasks", "OVERLAY=cluster")
	serves(ctx, t, c)
}

// TestFailedMigration: nothing is rolled out, and what serves goes on.
func TestFailedMigration(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	before := only(t, traffic(ctx, t, c))
	restored(t, c)
	printed := fails(ctx, t, c, "deploy", "FN=tasks", "OVERLAY="+variant(t, setting("AFTER_MIGRATION", "1"), `  - target: {kind: Job, name: migrate}
    patch: |
      - {op: replace, path: /spec/backoffLimit, value: 0}
      - {op: replace, path: /spec/template/spec/containers/0/env/0, value: {name: DATABASE_URL, value: "postgres://nobody@10.250.0.1:1/none"}}
`))
	require.Contains(t, printed, "job migrate failed")
	require.Contains(t, printed, "old revisions go on serving")
	require.Equal(t, before, newest(ctx, t, c), "no new revision was made")
	serves(ctx, t, c)
}

// TestBrokenRevision: a function that cannot start gets no request, nor does a canary that was rolled back before.
func TestBrokenRevision(t *testing.T) {
	ctx, c := within(t, 8*time.Minute)
	before := only(t, traffic(ctx, t, c))
	restored(t, c)
	makes(ctx, t, c, "canary", "FN=tasks", "PERCENT=50", "OVERLAY="+variant(t, setting("CANARY", "4")))
	makes(ctx, t, c, "rollback", "FN=tasks", "OVERLAY=cluster")
	printed := fails(ctx, t, c, "deploy", "FN=tasks", "OVERLAY="+variant(t, setting("DATABASE_POOL_SIZE", "many"), `  - target: {kind: Service, group: serving.knative.dev, name: tasks}
    patch: |
      - {op: replace, path: /spec/template/metadata/annotations/serving.knative.dev~1progress-deadline, value: 10s}
`))
	require.Contains(t, printed, "tasks")
	require.Equal(t, before, only(t, traffic(ctx, t, c)))
	serves(ctx, t, c)
}

// serves requires that tasks answers as ever.
func serves(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	got, err := c.Phone().Call(ctx, http.MethodGet, "/api/tasks/", nil, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, got.Status)
}

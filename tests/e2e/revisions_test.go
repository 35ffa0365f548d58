//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
)

// traffic returns how much of the requests each revision of tasks gets, in percent.
func traffic(ctx context.Context, t *testing.T, c *cluster.Cluster) map[string]int {
	t.Helper()
	var targets []struct {
		RevisionName string
		Percent      int
	}
	require.NoError(t, json.Unmarshal([]byte(ask(ctx, t, c, "{.status.traffic}")), &targets))
	shares := map[string]int{}
	for _, target := range targets {
		if target.Percent > 0 {
			shares[target.RevisionName] += target.Percent
		}
	}
	return shares
}

// only returns the one revision that has all traffic.
func only(t *testing.T, shares map[string]int) string {
	t.Helper()
	require.Len(t, shares, 1)
	for revision, percent := range shares {
		require.Equal(t, 100, percent)
		return revision
	}
	return ""
}

// handled counts the requests that a revision's pods have logged.
func handled(ctx context.Context, t *testing.T, c *cluster.Cluster, revision string) int {
	t.Helper()
	out, err := c.Kubectl(ctx, "", "logs", "-n", cluster.Namespace, "-l", "serving.knative.dev/revision="+revision,
		"-c", "user-container", "--tail=-1")
	require.NoError(t, err)
	return strings.Count(out, `"route":"/api/lookups`)
}

// restored has tasks deployed as it was when the test ends, however that is: as the overlay has it, ready and with all traffic.
func restored(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	before := newest(t.Context(), t, c)
	undo(t, func(ctx context.Context) {
		shares, now := traffic(ctx, t, c), newest(ctx, t, c)
		ready := ask(ctx, t, c, `{.status.conditions[?(@.type=="Ready")].status}`)
		if ready == "True" && shares[now] == 100 && content(now) == content(before) {
			return
		}
		if len(shares) > 1 {
			makes(ctx, t, c, "rollback", "FN=tasks", "OVERLAY=cluster")
		}
		makes(ctx, t, c, "deploy", "FN=tasks", "OVERLAY=cluster")
	})
}

// newest returns the newest revision of tasks, whether it serves or not.
func newest(ctx context.Context, t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	return ask(ctx, t, c, "{.status.latestCreatedRevisionName}")
}

// ask returns what the cluster has of tasks at a JSON path.
func ask(ctx context.Context, t *testing.T, c *cluster.Cluster, path string) string {
	t.Helper()
	out, err := c.Kubectl(ctx, "", "get", "ksvc", "tasks", "-n", cluster.Namespace, "-o", "jsonpath="+path)
	require.NoError(t, err)
	return out
}

// content returns what all revisions of the same content have in common of their name: one that came later has a number added.
func content(revision string) string {
	return strings.Join(strings.Split(revision, "-")[:2], "-")
}

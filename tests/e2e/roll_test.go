//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// steady is how long a load runs before and after what may disturb it.
const steady = 5 * time.Second

// loaded has the main job done, so that there is something to read, and puts tasks under load.
func loaded(ctx context.Context, t *testing.T, c *cluster.Cluster, name string) *load {
	t.Helper()
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	l := startLoad(t, c, name, done)
	elapse(ctx, t, steady, "the load settles")
	return l
}

// TestRolloutUnderLoad: a new revision takes over and the old one's pods leave, and nobody notices.
func TestRolloutUnderLoad(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	l := loaded(ctx, t, c, "roll")
	revision := roll(ctx, t, c, "tasks")
	began := time.Now()
	_, err := c.AwaitPods(ctx, "tasks", func(pods []cluster.Pod) bool {
		return len(pods) > 0 && !slices.ContainsFunc(pods, func(p cluster.Pod) bool { return !p.Ready || p.Revision != revision })
	})
	require.NoError(t, err)
	t.Logf("the old revision's last pod left %s after the new one was ready", time.Since(began).Round(time.Second))
	elapse(ctx, t, steady, "the load settles")
	l.requireNone(t)
}

// roll gives a function a new revision, which differs in an annotation alone, waits until it has all traffic, and returns
// its name.
func roll(ctx context.Context, t *testing.T, c *cluster.Cluster, function string) string {
	t.Helper()
	revision := function + "-rolled-" + strings.ToLower(time.Now().UTC().Format("150405"))
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"name": revision, "annotations": map[string]any{"myhoneydue.com/rolled": revision},
	}}}})
	require.NoError(t, err)
	kubectl := func(args ...string) string {
		out, err := c.Kubectl(ctx, "", append(args, "-n", cluster.Namespace)...)
		require.NoError(t, err)
		return out
	}
	kubectl("patch", "ksvc", function, "--type=merge", "-p", string(patch))
	kubectl("wait", "ksvc", function, "--for=jsonpath={.status.latestReadyRevisionName}="+revision, "--timeout=2m")
	kubectl("wait", "ksvc", function, "--for=condition=Ready", "--timeout=2m")
	require.JSONEq(t, `[{"latestRevision":true,"percent":100,"revisionName":"`+revision+`"}]`,
		kubectl("get", "ksvc", function, "-o", "jsonpath={.status.traffic}"))
	return revision
}

// TestScaleDownUnderLoad: three pods become one.
func TestScaleDownUnderLoad(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	l := loaded(ctx, t, c, "scale down")
	pods, err := c.AwaitPods(ctx, "tasks", func(pods []cluster.Pod) bool { return len(pods) > 0 && pods[0].Ready })
	require.NoError(t, err)
	// The autoscaler reads the bound from its own object; in the Service it would make a new revision.
	least := func(n string) {
		_, err := c.Kubectl(ctx, "", "annotate", "podautoscalers.autoscaling.internal.knative.dev", pods[0].Revision, "-n", cluster.Namespace,
			"--overwrite", "autoscaling.knative.dev/min-scale="+n)
		require.NoError(t, err)
	}
	least("3")
	_, err = c.AwaitPods(ctx, "tasks", cluster.ReadyPods(3))
	require.NoError(t, err)
	elapse(ctx, t, steady, "the load spreads")
	least("0")
	began := time.Now()
	_, err = c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	t.Logf("from 3 pods to 1 in %s", time.Since(began).Round(time.Second))
	elapse(ctx, t, steady, "the load settles")
	l.requireNone(t)
}

// TestDeletedPodUnderLoad: the only pod is deleted, as when its node is drained.
func TestDeletedPodUnderLoad(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	l := loaded(ctx, t, c, "deleted pod")
	pods, err := c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	_, err = c.Kubectl(ctx, "", "delete", "pod", pods[0].Name, "-n", cluster.Namespace)
	require.NoError(t, err)
	after, err := c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	require.NotEqual(t, pods[0].Name, after[0].Name)
	elapse(ctx, t, steady, "the load settles")
	l.requireNone(t)
}

// TestKilledPodUnderLoad: whoever is in the process when it is killed gets an error, and five seconds later nobody does.
func TestKilledPodUnderLoad(t *testing.T) {
	const mended = 5 * time.Second
	ctx, c := within(t, 5*time.Minute)
	l := loaded(ctx, t, c, "killed pod")
	pods, err := c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	killed := time.Now()
	require.NoError(t, pods[0].Kill())
	elapse(ctx, t, 2*mended, "the load goes on")
	after, err := c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	require.Greater(t, after[0].Restarts, pods[0].Restarts, "it was killed")
	last := killed
	for _, f := range l.stop(t) {
		require.False(t, f.ended.Before(killed), "failed before the kill: %s", f.what)
		if f.began.After(last) {
			last = f.began
		}
	}
	t.Logf("the last request that failed began %s after the kill", last.Sub(killed).Round(time.Millisecond))
	require.Less(t, last.Sub(killed), mended)
}

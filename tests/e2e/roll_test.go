//go:build e2e

package e2e

import (
	"context"
	"slices"
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

// TestRolloutUnderLoad: a new revision takes over, the one before comes back, and a third follows. Each time the old one's
// pods leave, and nobody notices.
func TestRolloutUnderLoad(t *testing.T) {
	ctx, c := within(t, 8*time.Minute)
	before := only(t, traffic(ctx, t, c))
	restored(t, c)
	l := loaded(ctx, t, c, "roll")
	for _, roll := range [][]string{
		{"deploy", "FN=tasks", "OVERLAY=" + variant(t, setting("ROLLED", "1"))},
		{"rollback", "FN=tasks", "OVERLAY=cluster"},
		{"deploy", "FN=tasks", "OVERLAY=cluster"},
	} {
		makes(ctx, t, c, roll...)
		after := only(t, traffic(ctx, t, c))
		require.NotEqual(t, before, after, roll[0])
		before = after
		began := time.Now()
		_, err := c.AwaitPods(ctx, "tasks", func(pods []cluster.Pod) bool {
			return stays(1)(pods) && !slices.ContainsFunc(pods, func(p cluster.Pod) bool { return !p.Ending && p.Revision != after })
		})
		require.NoError(t, err)
		t.Logf("%s: the old revision's pod was told to end %s after the new one served", roll[0], time.Since(began).Round(time.Second))
		elapse(ctx, t, steady, "the load settles")
	}
	lastOnesLeave(ctx, t, c)
	l.requireNone(t)
}

// stays is what AwaitPods waits for when that many pods are to be ready, and others at most end.
func stays(n int) func([]cluster.Pod) bool {
	return func(pods []cluster.Pod) bool {
		return cluster.ReadyPods(n)(slices.DeleteFunc(slices.Clone(pods), func(p cluster.Pod) bool { return p.Ending }))
	}
}

// lastOnesLeave waits until one pod is ready and all others are gone, which takes half a minute from when they are told, and lets
// the load go on a little.
func lastOnesLeave(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	began := time.Now()
	_, err := c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	t.Logf("the last pod that was told to end left %s later", time.Since(began).Round(time.Second))
	elapse(ctx, t, steady, "the load settles")
}

// TestPodsLeaveUnderLoad: three pods become one, as when the crowd goes, and that one is deleted, as when its node is drained.
func TestPodsLeaveUnderLoad(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	l := loaded(ctx, t, c, "pods leave")
	pods, err := c.AwaitPods(ctx, "tasks", cluster.ReadyPods(1))
	require.NoError(t, err)
	// The autoscaler reads the bound from its own object; in the Service it would make a new revision.
	least := func(ctx context.Context, n string) {
		_, err := c.Kubectl(ctx, "", "annotate", "podautoscalers.autoscaling.internal.knative.dev", pods[0].Revision, "-n", cluster.Namespace,
			"--overwrite", "autoscaling.knative.dev/min-scale="+n)
		require.NoError(t, err)
	}
	undo(t, func(ctx context.Context) { least(ctx, "0") })
	least(ctx, "3")
	_, err = c.AwaitPods(ctx, "tasks", cluster.ReadyPods(3))
	require.NoError(t, err)
	elapse(ctx, t, steady, "the load spreads")
	least(ctx, "0")
	began := time.Now()
	pods, err = c.AwaitPods(ctx, "tasks", stays(1))
	require.NoError(t, err)
	t.Logf("two pods of three were told to end after %s", time.Since(began).Round(time.Second))
	elapse(ctx, t, steady, "the load settles")

	last := pods[slices.IndexFunc(pods, func(p cluster.Pod) bool { return p.Ready })].Name
	_, err = c.Kubectl(ctx, "", "delete", "pod", last, "-n", cluster.Namespace, "--wait=false")
	require.NoError(t, err)
	_, err = c.AwaitPods(ctx, "tasks", func(pods []cluster.Pod) bool {
		return stays(1)(pods) && !slices.ContainsFunc(pods, func(p cluster.Pod) bool { return !p.Ending && p.Name == last })
	})
	require.NoError(t, err, "another pod takes its place")
	lastOnesLeave(ctx, t, c)
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
	_, err = c.AwaitPods(ctx, "tasks", func(now []cluster.Pod) bool {
		return slices.ContainsFunc(now, func(p cluster.Pod) bool { return p.Name == pods[0].Name && p.Restarts > pods[0].Restarts })
	})
	require.NoError(t, err, "it is started again")
	elapse(ctx, t, 2*mended, "the load goes on")
	last := killed
	for _, f := range l.stop(t) {
		require.False(t, f.ended.Before(killed), "failed before the kill: %s", f.what)
		if f.ended.After(last) {
			last = f.ended
		}
	}
	t.Logf("the last request that failed ended %s after the kill", last.Sub(killed).Round(time.Millisecond))
	require.Less(t, last.Sub(killed), mended)
}

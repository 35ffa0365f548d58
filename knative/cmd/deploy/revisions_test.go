package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

func ready(name string, minute int) servingv1.Revision  { return revisionAt(name, minute, "True") }
func failed(name string, minute int) servingv1.Revision { return revisionAt(name, minute, "False") }

// revisionAt is a revision that was made in that minute.
func revisionAt(name string, minute int, readiness corev1.ConditionStatus) servingv1.Revision {
	made := metav1.NewTime(time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC))
	r := servingv1.Revision{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: made}}
	r.Status.Conditions = duckv1.Conditions{{Type: apis.ConditionReady, Status: readiness}}
	return r
}

func TestPrevious(t *testing.T) {
	t.Parallel()
	all := revisions{failed("c", 3), ready("a", 1), ready("d", 4), ready("b", 2), ready("e", 5)}
	for current, want := range map[string]string{"e": "d", "d": "b", "c": "b", "b": "a"} {
		got, err := all.previous(current)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := all.previous("a")
	require.ErrorContains(t, err, "no ready revision older than a")
	_, err = all.previous("")
	require.ErrorContains(t, err, "no revision has all traffic")
}

func TestReady(t *testing.T) {
	t.Parallel()
	all := revisions{ready("a", 1), failed("b", 2), revisionAt("c", 3, "Unknown")}
	require.NoError(t, all.requireReady("a", ""))
	for _, name := range []string{"b", "c", "gone", ""} {
		require.False(t, all.ready(name))
		require.EqualError(t, all.requireReady(name, "do this"),
			"revision "+name+" is not ready, and Knative gives no traffic to such a one by its name: do this")
	}
}

func TestFreeName(t *testing.T) {
	t.Parallel()
	all := revisions{ready("tasks-a", 1), failed("tasks-b", 2), revisionAt("tasks-c", 3, "Unknown"), failed("tasks-d-2", 4)}
	for _, c := range []struct{ name, newest, want, why string }{
		{"tasks-a", "tasks-a", "tasks-a", "nothing changed"},
		{"tasks-a", "tasks-c", "tasks-a-2", "an older revision has it"},
		{"tasks-b", "tasks-b", "tasks-b-2", "it failed, and may serve all the same"},
		{"tasks-c", "tasks-c", "tasks-c", "it starts"},
		{"tasks-d", "tasks-d-2", "tasks-d-3", "the second of this content failed as well"},
		{"tasks-e", "tasks-e", "tasks-e", "somebody deleted it"},
		{"tasks-f", "tasks-a", "tasks-f", "new content"},
	} {
		require.Equal(t, c.want, all.freeName(c.name, c.newest), c.why)
	}
}

func TestFirstFree(t *testing.T) {
	t.Parallel()
	for want, taken := range map[string][]string{
		"tasks-a":   {"tasks-b", "tasks-ab", "tasks-ab-7"},
		"tasks-a-2": {"tasks-a", "tasks-b-9"},
		"tasks-a-4": {"tasks-a-3", "tasks-a"},
		"tasks-a-8": {"tasks-a-7", "tasks-a-x"},
	} {
		require.Equal(t, want, firstFree("tasks-a", taken))
	}
	require.True(t, sameContent("tasks-a-2", "tasks-a"))
	require.False(t, sameContent("tasks-ab", "tasks-a"))
}

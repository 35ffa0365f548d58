package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/pkg/apis"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	latest := func(percent int64) any { return map[string]any{"latestRevision": true, "percent": percent} }
	named := func(percent int64) any {
		return map[string]any{"revisionName": "tasks-a", "latestRevision": false, "percent": percent}
	}
	require.Equal(t, []any{latest(100)}, split{}.targets())
	require.Equal(t, []any{named(90), latest(10)}, split{old: "tasks-a", percent: 10}.targets())
	require.Equal(t, []any{named(1), latest(99)}, split{old: "tasks-a", percent: 99}.targets())
	require.Equal(t, []any{named(100)}, split{old: "tasks-a"}.targets())
}

func TestTargetsAreValid(t *testing.T) {
	t.Parallel()
	for _, s := range []split{{}, {old: "tasks-a", percent: 10}, {old: "tasks-a"}} {
		f := documents(t, workloads)[0]
		require.NoError(t, nameRevision(f, &settings{}))
		require.NoError(t, s.route(f, ""))
		var typed servingv1.Service
		require.NoError(t, into(f, &typed))
		typed.SetDefaults(t.Context())
		require.Nil(t, typed.Validate(t.Context()).Filter(apis.ErrorLevel))
	}
}

// While a new revision starts, what serves keeps what it has, wherever Knative would not see to that and takes its name.
func TestTrafficIsHeld(t *testing.T) {
	t.Parallel()
	kept := split{old: "tasks-a"}.targets()
	canary := split{old: "tasks-a", percent: 10}
	for name, c := range map[string]struct {
		live   *servingv1.Service
		all    revisions
		wanted split
		hold   string
		starts []any
	}{
		"a deploy":                           {live(traffic{"tasks-a", 100, true}), revisions{ready("tasks-a", 1)}, split{}, "", split{}.targets()},
		"a canary":                           {live(traffic{"tasks-a", 100, true}), revisions{ready("tasks-a", 1)}, canary, "tasks-a", kept},
		"a deploy after a rollback":          {live(traffic{"tasks-a", 100, false}), revisions{ready("tasks-a", 1)}, split{}, "tasks-a", kept},
		"a deploy after one and a crash":     {live(traffic{"tasks-a", 100, false}), revisions{failed("tasks-a", 1)}, split{}, "", split{}.targets()},
		"a deploy after one that is gone":    {live(traffic{"tasks-a", 100, false}), nil, split{}, "", split{}.targets()},
		"a deploy after a canary that ended": {live(traffic{"tasks-a", 90, false}, traffic{"tasks-b", 10, true}), nil, split{}, "", split{}.targets()},
		"one that never served":              {live(), nil, split{}, "", split{}.targets()},
	} {
		hold, f := succeed(t, c.live, c.all, c.wanted)
		require.Equal(t, c.hold, hold, name)
		require.NoError(t, c.wanted.route(f, hold))
		starts, _, err := unstructured.NestedSlice(f.Object, "spec", "traffic")
		require.NoError(t, err)
		require.Equal(t, c.starts, starts, name)
	}
	r := &rollout{out: t.Output()}
	_, err := r.succeed(documents(t, workloads)[0], untyped(t, live(traffic{"tasks-a", 100, true})), revisions{failed("tasks-a", 1)}, canary)
	require.ErrorContains(t, err, "tasks-a is not ready", "it failed after the canary was found possible")
}

func TestServedBeforeIsNoted(t *testing.T) {
	t.Parallel()
	all := revisions{ready("tasks-a", 1), ready("tasks-b", 2)}
	note := func(now *servingv1.Service, wanted split) string {
		_, f := succeed(t, now, all, wanted)
		return f.GetAnnotations()[servedBefore]
	}
	changed := live(traffic{"tasks-b", 100, true})
	require.Equal(t, "tasks-b", note(changed, split{}))
	changed.Annotations = map[string]string{servedBefore: "tasks-a"}
	require.Equal(t, "tasks-b", note(changed, split{}))
	require.Equal(t, "tasks-a", note(changed, split{old: "tasks-b", percent: 10}), "a canary may be rolled back")
	require.Empty(t, note(live(), split{}))

	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, &settings{}))
	same := live(traffic{revisionOf(f), 100, true})
	same.Spec.Template.Name = revisionOf(f)
	same.Annotations = map[string]string{servedBefore: "tasks-a"}
	require.Equal(t, "tasks-a", note(same, split{}), "nothing changed")
}

// succeed has the function of workloads succeed what is live, and returns it with the revision that is held.
func succeed(t *testing.T, now *servingv1.Service, all revisions, wanted split) (string, *object) {
	t.Helper()
	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, &settings{}))
	r := &rollout{out: t.Output()}
	hold, err := r.succeed(f, untyped(t, now), all, wanted)
	require.NoError(t, err)
	return hold, f
}

func untyped(t *testing.T, f *servingv1.Service) *object {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(f)
	require.NoError(t, err)
	return &object{Object: content}
}

func TestPercentRefused(t *testing.T) {
	t.Parallel()
	for _, percent := range []string{"0", "100", "-1", "ten", "10%", "1.5"} {
		err := run(t.Context(), []string{"canary", "tasks", percent}, t.Output())
		require.ErrorContains(t, err, "whole number from 1 to 99", percent)
	}
	for _, args := range [][]string{{}, {"canary", "tasks", ""}, {"promote", ""}, {"rollback"}, {"deploy", "a", "b"}, {"destroy"}, {"-x", "deploy"}} {
		require.ErrorContains(t, run(t.Context(), args, t.Output()), "usage", args)
	}
}

type traffic struct {
	revision string
	percent  int64
	latest   bool
}

// live is a function whose traffic is as given.
func live(targets ...traffic) *servingv1.Service {
	f := &servingv1.Service{ObjectMeta: metav1.ObjectMeta{Name: "tasks", Namespace: "honeydue"}}
	for _, target := range targets {
		in := servingv1.TrafficTarget{RevisionName: target.revision, Percent: &target.percent, LatestRevision: &target.latest}
		f.Status.Traffic = append(f.Status.Traffic, in)
		if target.latest {
			in.RevisionName = ""
		}
		f.Spec.Traffic = append(f.Spec.Traffic, in)
	}
	return f
}

package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
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
		require.NoError(t, nameRevision(f, nil))
		held, err := s.route(f, nil)
		require.NoError(t, err)
		require.False(t, held)
		var typed servingv1.Service
		require.NoError(t, into(f, &typed))
		typed.SetDefaults(t.Context())
		require.Nil(t, typed.Validate(t.Context()).Filter(apis.ErrorLevel))
	}
}

func TestCanaryRefusals(t *testing.T) {
	t.Parallel()
	quiet := live(traffic{"tasks-a", 100, true})
	s, err := newCanary(quiet, 10)
	require.NoError(t, err)
	require.Equal(t, split{old: "tasks-a", percent: 10}, s)

	rolledBack := live(traffic{"tasks-a", 100, false})
	s, err = newCanary(rolledBack, 10)
	require.NoError(t, err)
	require.Equal(t, "tasks-a", s.old)

	_, err = newCanary(live(traffic{"tasks-a", 90, false}, traffic{"tasks-b", 10, true}), 20)
	require.ErrorContains(t, err, "10 % of tasks's traffic go to its newest revision already")
	_, err = newCanary(live(traffic{"tasks-a", 90, false}, traffic{"tasks-a", 10, true}), 20)
	require.Error(t, err, "also while the new one is not ready")
	_, err = newCanary(live(), 20)
	require.ErrorContains(t, err, "no revision of tasks has all traffic")

	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, nil))
	require.ErrorContains(t, split{old: revisionOf(f), percent: 10}.refuse(f), "nothing changed")
	require.ErrorContains(t, split{old: revisionOf(f) + "-2", percent: 10}.refuse(f), "nothing changed")
	require.NoError(t, split{old: "tasks-a", percent: 10}.refuse(f))
	require.NoError(t, split{}.refuse(f), "a deploy without changes is not an error")
}

// While a new revision starts, what serves keeps what it has, wherever Knative would not see to that.
func TestTrafficIsHeld(t *testing.T) {
	t.Parallel()
	named := func(revision string, percent int64) any {
		return map[string]any{"revisionName": revision, "latestRevision": false, "percent": percent}
	}
	for name, c := range map[string]struct {
		live   *servingv1.Service
		wanted split
		held   bool
		starts []any
	}{
		"a deploy":                  {live(traffic{"tasks-a", 100, true}), split{}, false, split{}.targets()},
		"a canary":                  {live(traffic{"tasks-a", 100, true}), split{old: "tasks-a", percent: 10}, true, []any{named("tasks-a", 100)}},
		"a deploy after a rollback": {live(traffic{"tasks-a", 100, false}), split{}, true, []any{named("tasks-a", 100)}},
		"a deploy during a canary":  {live(traffic{"tasks-a", 90, false}, traffic{"tasks-b", 10, true}), split{}, true, []any{named("tasks-a", 90), named("tasks-b", 10)}},
		"one that never served":     {live(), split{}, false, split{}.targets()},
	} {
		f := documents(t, workloads)[0]
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.live)
		require.NoError(t, err)
		held, err := c.wanted.route(f, &object{Object: content})
		require.NoError(t, err)
		require.Equal(t, c.held, held, name)
		starts, _, err := unstructured.NestedSlice(f.Object, "spec", "traffic")
		require.NoError(t, err)
		require.Equal(t, c.starts, starts, name)
	}
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

func TestPrevious(t *testing.T) {
	t.Parallel()
	revision := func(name string, minute int, ready string) servingv1.Revision {
		r := servingv1.Revision{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC))}}
		r.Status.Conditions = duckv1.Conditions{{Type: apis.ConditionReady, Status: "True"}}
		if ready != "ready" {
			r.Status.Conditions[0].Status = "False"
		}
		return r
	}
	all := []servingv1.Revision{revision("c", 3, "failed"), revision("a", 1, "ready"), revision("d", 4, "ready"), revision("b", 2, "ready"), revision("e", 5, "ready")}
	for current, want := range map[string]string{"e": "d", "d": "b", "c": "b", "b": "a"} {
		got, err := previous(all, current)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := previous(all, "a")
	require.ErrorContains(t, err, "no ready revision older than a")
	_, err = previous(all, "")
	require.ErrorContains(t, err, "no revision has all traffic")
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

func TestWaiting(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	state := func(name, status string, observed int) *object {
		return documents(t, fmt.Sprintf(`
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: %s, generation: 2},
 status: {observedGeneration: %d, conditions: [{type: Ready, status: "%s", reason: Because, message: of this}]}}`, name, observed, status))[0]
	}
	w := waiting{condition: "Ready", functions: []string{"auth", "tasks"}, failed: map[string]time.Time{}, last: map[string]string{}}
	see := func(o *object, after time.Duration) string {
		ready, err := w.see(o, begun.Add(after))
		require.NoError(t, err)
		return ready
	}
	require.Empty(t, see(state("tasks", "True", 1), 0), "an older generation says nothing of this one")
	require.Empty(t, see(state("other", "True", 2), 0))
	require.Empty(t, see(state("tasks", "False", 2), 0))
	require.Empty(t, see(state("tasks", "Unknown", 2), 14*time.Second), "it was false for a moment only")
	require.Empty(t, see(nil, 60*time.Second))
	require.Equal(t, "auth", see(state("auth", "True", 2), 60*time.Second))
	require.Empty(t, see(state("tasks", "False", 2), 60*time.Second))
	require.Empty(t, see(state("tasks", "False", 2), 70*time.Second))
	_, err := w.see(nil, begun.Add(75*time.Second))
	require.ErrorContains(t, err, "tasks")
	require.Equal(t, "tasks: Ready is False Because of this", w.explain())
}

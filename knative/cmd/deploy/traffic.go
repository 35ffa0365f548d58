package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

const (
	serviceKind = "services.serving.knative.dev"
	// servedBefore is a function's annotation: the revision that had all traffic before the present one.
	servedBefore = "myhoneydue.com/served-before"
)

// A split sends some of the traffic to the latest ready revision, and the rest to an older one. The zero split
// sends all of it to the latest.
type split struct {
	old     string
	percent int64 // of the latest
}

// targets is the split as spec.traffic. The latest is not named: until it is ready, Knative sends its share to
// the one before, where a name would be a route to nothing.
func (s split) targets() []any {
	if s.old == "" {
		return []any{map[string]any{"latestRevision": true, "percent": int64(100)}}
	}
	targets := []any{map[string]any{"revisionName": s.old, "latestRevision": false, "percent": 100 - s.percent}}
	if s.percent > 0 {
		targets = append(targets, map[string]any{"latestRevision": true, "percent": s.percent})
	}
	return targets
}

// refuse returns an error when a canary would be of what serves already.
func (s split) refuse(function *object) error {
	if s.old != "" && sameContent(s.old, revisionOf(function)) {
		return fmt.Errorf("canary: nothing changed: %s serves already what would be rolled out", s.old)
	}
	return nil
}

// hold returns the revision that keeps all traffic until the new one is ready; empty where Knative sees to that by
// itself. It has to be named where Knative would send traffic elsewhere: to a canary, or, after a rollback, to the
// newest revision that was ever ready, which is the one that was rolled back.
func (s split) hold(now *servingv1.Service) string {
	if s.old == "" && pinned(now) {
		return serving(now)
	}
	return s.old
}

// route gives the function the traffic with which its new revision starts: all of it to the one that is held, or what
// the split says.
func (s split) route(function *object, held string) error {
	if held != "" {
		s = split{old: held}
	}
	return unstructured.SetNestedSlice(function.Object, s.targets(), "spec", "traffic")
}

// pinned returns whether some traffic goes to a revision by its name.
func pinned(f *servingv1.Service) bool {
	return slices.ContainsFunc(f.Spec.Traffic, func(t servingv1.TrafficTarget) bool { return t.RevisionName != "" })
}

// canaryOf returns the split that is under way; ok is false when there is none.
func canaryOf(f *servingv1.Service) (under split, ok bool) {
	latest := slices.ContainsFunc(f.Spec.Traffic, func(t servingv1.TrafficTarget) bool { return t.RevisionName == "" })
	for _, t := range f.Spec.Traffic {
		if latest && t.RevisionName != "" && t.Percent != nil && *t.Percent > 0 {
			return split{old: t.RevisionName, percent: 100 - *t.Percent}, true
		}
	}
	return split{}, false
}

// serving returns the revision that has all traffic; empty when none or several have.
func serving(f *servingv1.Service) string {
	name := ""
	for _, t := range f.Status.Traffic {
		if t.Percent == nil || *t.Percent == 0 {
			continue
		}
		if name != "" && name != t.RevisionName {
			return ""
		}
		name = t.RevisionName
	}
	return name
}

// remember notes on the function which revision has all traffic before the one that is rolled out, for a rollback. What is
// noted already stays where that does not change, and while the new one is a canary.
func (s split) remember(function *object, now *servingv1.Service) {
	before := now.Annotations[servedBefore]
	if present := serving(now); s.old == "" && present != "" && present != revisionOf(function) {
		before = present
	}
	if before == "" {
		return
	}
	annotations := function.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[servedBefore] = before
	function.SetAnnotations(annotations)
}

// noteBefore returns the annotations that note the revision before; an empty name removes the note.
func noteBefore(revision string) map[string]any {
	if revision == "" {
		return map[string]any{servedBefore: nil}
	}
	return map[string]any{servedBefore: revision}
}

// moveTraffic changes the traffic and the note and nothing else, so that it works whatever else is wrong with the function.
func (r *rollout) moveTraffic(ctx context.Context, to split, note map[string]any) error {
	functions := of(r.chosen, stageFunction)
	if err := r.setTraffic(ctx, functions, to, note); err != nil {
		return err
	}
	return r.smoke(ctx, functions)
}

// setTraffic patches the functions' traffic and waits until it is so. A nil note leaves theirs as it is.
func (r *rollout) setTraffic(ctx context.Context, functions []*object, to split, note map[string]any) error {
	change := map[string]any{"spec": map[string]any{"traffic": to.targets()}}
	if note != nil {
		change["metadata"] = map[string]any{"annotations": note}
	}
	patch, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode traffic: %w", err)
	}
	for _, f := range functions {
		if _, err := kubectl(ctx, nil, "patch", serviceKind, f.GetName(), "--namespace", f.GetNamespace(), "--type", "merge", "--patch", string(patch)); err != nil {
			return fmt.Errorf("move traffic of %s: %w", f.GetName(), err)
		}
	}
	// Of the routes alone: a newest revision that failed keeps the function from being ready as a whole.
	return r.await(ctx, functions, servingv1.ServiceConditionRoutesReady)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

const serviceKind = "services.serving.knative.dev"

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

// route gives the function the traffic with which its new revision starts. Held is whether that is not yet the split's:
// what serves now is then named and keeps what it has until the new revision is ready. It has to be where Knative by
// itself would send it elsewhere: all of it to a canary, or, after a rollback, to the newest revision that was ever
// ready, which is the one that was rolled back. Live may be nil.
func (s split) route(function, live *object) (held bool, err error) {
	targets := s.targets()
	if live != nil {
		var now servingv1.Service
		if err := into(live, &now); err != nil {
			return false, err
		}
		if (s.old != "" || pinned(&now)) && len(now.Status.Traffic) > 0 {
			targets, held = present(&now), true
		}
	}
	return held, unstructured.SetNestedSlice(function.Object, targets, "spec", "traffic")
}

// pinned returns whether some traffic goes to a revision by its name.
func pinned(f *servingv1.Service) bool {
	return slices.ContainsFunc(f.Spec.Traffic, func(t servingv1.TrafficTarget) bool { return t.RevisionName != "" })
}

// present is the traffic as it is, by names.
func present(f *servingv1.Service) []any {
	var targets []any
	for _, t := range f.Status.Traffic {
		if t.Percent != nil && *t.Percent > 0 {
			targets = append(targets, map[string]any{"revisionName": t.RevisionName, "latestRevision": false, "percent": *t.Percent})
		}
	}
	return targets
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

// moveTraffic changes the traffic and nothing else, so that it works whatever else is wrong with the function.
func (r *rollout) moveTraffic(ctx context.Context, to split) error {
	functions := of(r.chosen, stageFunction)
	if err := r.setTraffic(ctx, functions, to); err != nil {
		return err
	}
	return r.smoke(ctx, functions)
}

// setTraffic patches the functions' traffic and waits until it is so.
func (r *rollout) setTraffic(ctx context.Context, functions []*object, to split) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"traffic": to.targets()}})
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

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// beginCanary returns the split between what serves now and what is about to be rolled out.
func (r *rollout) beginCanary(ctx context.Context, percent int64) (split, error) {
	f, err := r.live(ctx)
	if err != nil {
		return split{}, err
	}
	return newCanary(f, percent)
}

func newCanary(f *servingv1.Service, percent int64) (split, error) {
	if under, ok := canaryOf(f); ok {
		return split{}, fmt.Errorf("canary: %d %% of %s's traffic go to its newest revision already: "+
			"end that first with make promote FN=%s or make rollback FN=%s", under.percent, f.Name, f.Name, f.Name)
	}
	old := serving(f)
	if old == "" {
		return split{}, fmt.Errorf("canary: no revision of %s has all traffic, so there is nothing to compare a new one with: run make deploy FN=%s", f.Name, f.Name)
	}
	return split{old: old, percent: percent}, nil
}

// promote gives all traffic to the newest revision of the function.
func (r *rollout) promote(ctx context.Context, function string) error {
	if err := r.prepare(ctx, function); err != nil {
		return err
	}
	f, err := r.live(ctx)
	if err != nil {
		return err
	}
	under, ok := canaryOf(f)
	if !ok {
		return fmt.Errorf("promote: no canary of %s is under way: start one with make canary FN=%s PERCENT=10", function, function)
	}
	if f.Status.LatestReadyRevisionName == under.old || f.Status.LatestReadyRevisionName != f.Status.LatestCreatedRevisionName {
		return fmt.Errorf("promote: %s is not ready, so it gets no traffic: look at it with kubectl -n %s describe revision %s, or end the canary with make rollback FN=%s",
			f.Status.LatestCreatedRevisionName, f.Namespace, f.Status.LatestCreatedRevisionName, function)
	}
	r.say("promoting %s: %d %% of the traffic before, all of it now", f.Status.LatestReadyRevisionName, under.percent)
	return r.moveTraffic(ctx, split{})
}

// rollback ends a canary in favour of the old revision, or else goes back to the revision before the present one.
func (r *rollout) rollback(ctx context.Context, function string) error {
	if err := r.prepare(ctx, function); err != nil {
		return err
	}
	f, err := r.live(ctx)
	if err != nil {
		return err
	}
	if under, ok := canaryOf(f); ok {
		r.say("rolling back: the canary ends, all traffic to %s", under.old)
		return r.moveTraffic(ctx, split{old: under.old})
	}
	printed, err := kubectl(ctx, nil, "get", "revisions.serving.knative.dev", "--namespace", f.Namespace,
		"--selector", "serving.knative.dev/service="+f.Name, "--output", "json")
	if err != nil {
		return fmt.Errorf("list revisions of %s: %w", function, err)
	}
	var revisions servingv1.RevisionList
	if err := json.Unmarshal(printed, &revisions); err != nil {
		return fmt.Errorf("decode revisions of %s: %w", function, err)
	}
	current := serving(f)
	before, err := previous(revisions.Items, current)
	if err != nil {
		return fmt.Errorf("rollback: %s: %w", function, err)
	}
	r.say("rolling back from %s: all traffic to %s", current, before)
	return r.moveTraffic(ctx, split{old: before})
}

// previous returns the newest ready revision that is older than the current one.
func previous(revisions []servingv1.Revision, current string) (string, error) {
	at := slices.IndexFunc(revisions, func(r servingv1.Revision) bool { return r.Name == current })
	if at < 0 {
		return "", errors.New("no revision has all traffic, so none is before it; look at kubectl get revisions")
	}
	var best *servingv1.Revision
	for i := range revisions {
		r := &revisions[i]
		if r.IsReady() && r.CreationTimestamp.Before(&revisions[at].CreationTimestamp) &&
			(best == nil || best.CreationTimestamp.Before(&r.CreationTimestamp)) {
			best = r
		}
	}
	if best == nil {
		return "", fmt.Errorf("there is no ready revision older than %s; deploy the older code instead", current)
	}
	return best.Name, nil
}

// live reads the function as the cluster has it.
func (r *rollout) live(ctx context.Context) (*servingv1.Service, error) {
	f := of(r.chosen, stageFunction)[0]
	found, err := get(ctx, f.GetNamespace(), serviceKind, f.GetName())
	if err != nil {
		return nil, fmt.Errorf("read function %s: %w", f.GetName(), err)
	}
	if found == nil {
		return nil, fmt.Errorf("function %s is not in the cluster yet: run make deploy FN=%s", f.GetName(), f.GetName())
	}
	live := &servingv1.Service{}
	return live, into(found, live)
}

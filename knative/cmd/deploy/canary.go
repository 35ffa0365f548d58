package main

import (
	"context"
	"fmt"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// beginCanary returns the split between what serves now and what is about to be rolled out.
func (r *rollout) beginCanary(ctx context.Context, percent int64) (split, error) {
	f, all, err := r.live(ctx)
	if err != nil {
		return split{}, err
	}
	return newCanary(f, all, percent)
}

func newCanary(f *servingv1.Service, all revisions, percent int64) (split, error) {
	if under, ok := canaryOf(f); ok {
		return split{}, fmt.Errorf("canary: %w", underWay(f, under))
	}
	old := serving(f)
	if old == "" {
		return split{}, fmt.Errorf("canary: no revision of %s has all traffic, so there is nothing to compare a new one with: run make deploy FN=%s", f.Name, f.Name)
	}
	if err := all.requireReady(old, "run make deploy FN="+f.Name+" in place of a canary"); err != nil {
		return split{}, fmt.Errorf("canary: %w", err)
	}
	return split{old: old, percent: percent}, nil
}

func underWay(f *servingv1.Service, under split) error {
	return fmt.Errorf("%d %% of %s's traffic go to its newest revision already: "+
		"end that first with make promote FN=%s or make rollback FN=%s", under.percent, f.Name, f.Name, f.Name)
}

// refuseCanaries returns an error when a canary of a chosen function is under way: a deploy would end it unseen.
func (r *rollout) refuseCanaries(ctx context.Context) error {
	for _, f := range of(r.chosen, stageFunction) {
		now, all, err := liveOf(ctx, f)
		if err != nil {
			return err
		}
		if now == nil {
			continue
		}
		if err := refuseDeploy(now, all); err != nil {
			return fmt.Errorf("deploy: %w", err)
		}
	}
	return nil
}

// refuseDeploy refuses while a canary is under way that promote or rollback can end. When both of its revisions have failed
// neither can, and a deploy is the way out.
func refuseDeploy(f *servingv1.Service, all revisions) error {
	under, ok := canaryOf(f)
	if !ok || (!all.ready(under.old) && !all.ready(f.Status.LatestCreatedRevisionName)) {
		return nil
	}
	return underWay(f, under)
}

// promote gives all traffic to the newest revision of the function.
func (r *rollout) promote(ctx context.Context, function string) error {
	if err := r.prepare(ctx, function); err != nil {
		return err
	}
	f, all, err := r.live(ctx)
	if err != nil {
		return err
	}
	under, err := promotable(f, all)
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	r.say("promoting %s: %d %% of the traffic before, all of it now", f.Status.LatestCreatedRevisionName, under.percent)
	return r.moveTraffic(ctx, split{}, noteBefore(under.old))
}

// promotable returns the canary that is under way, when its new revision can have all traffic.
func promotable(f *servingv1.Service, all revisions) (split, error) {
	under, ok := canaryOf(f)
	if !ok {
		return split{}, fmt.Errorf("no canary of %s is under way: start one with make canary FN=%s PERCENT=10", f.Name, f.Name)
	}
	if newest := f.Status.LatestCreatedRevisionName; newest == under.old || !all.ready(newest) {
		return split{}, fmt.Errorf("%s is not ready, so it gets no traffic: look at it with kubectl -n %s describe revision %s, or end the canary with make rollback FN=%s",
			newest, f.Namespace, newest, f.Name)
	}
	return under, nil
}

// rollback ends a canary in favour of the old revision, or else goes back to the revision before the present one.
func (r *rollout) rollback(ctx context.Context, function string) error {
	if err := r.prepare(ctx, function); err != nil {
		return err
	}
	f, all, err := r.live(ctx)
	if err != nil {
		return err
	}
	to, note, err := back(f, all)
	if err != nil {
		return fmt.Errorf("rollback: %s: %w", function, err)
	}
	r.say("rolling back: all traffic to %s", to.old)
	return r.moveTraffic(ctx, to, note)
}

// back returns where a rollback leads, and what the function then notes of the revision before.
func back(f *servingv1.Service, all revisions) (split, map[string]any, error) {
	if under, ok := canaryOf(f); ok {
		instead := "run make promote FN=" + f.Name + ", or when that is refused as well, make deploy FN=" + f.Name
		return split{old: under.old}, nil, all.requireReady(under.old, instead)
	}
	// After a deploy that failed it is the present one, which then keeps its traffic whatever becomes of the failed one.
	before := f.Annotations[servedBefore]
	if before == "" {
		var err error
		if before, err = all.previous(serving(f)); err != nil {
			return split{}, nil, err
		}
	}
	return split{old: before}, noteBefore(""), all.requireReady(before, "deploy the older code instead with make deploy FN="+f.Name)
}

// live reads the one function that this call is about, and its revisions.
func (r *rollout) live(ctx context.Context) (*servingv1.Service, revisions, error) {
	f := of(r.chosen, stageFunction)[0]
	now, all, err := liveOf(ctx, f)
	if err == nil && now == nil {
		err = fmt.Errorf("function %s is not in the cluster yet: run make deploy FN=%s", f.GetName(), f.GetName())
	}
	return now, all, err
}

// liveOf reads a function and its revisions as the cluster has them; nil when it is not there.
func liveOf(ctx context.Context, f *object) (*servingv1.Service, revisions, error) {
	found, err := get(ctx, f.GetNamespace(), serviceKind, f.GetName())
	if err != nil {
		return nil, nil, fmt.Errorf("read function %s: %w", f.GetName(), err)
	}
	if found == nil {
		return nil, nil, nil
	}
	now := &servingv1.Service{}
	if err := into(found, now); err != nil {
		return nil, nil, err
	}
	all, err := revisionsOf(ctx, f.GetNamespace(), f.GetName())
	return now, all, err
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// renew gives functions a new revision of what runs, with the Secrets and ConfigMaps as they are now: what a pod was started with stays with
// it. Nothing else of them changes, whatever the checkout has. An empty function renews all.
func (r *rollout) renew(ctx context.Context, function string) error {
	if err := r.prepare(ctx, function); err != nil {
		return err
	}
	if err := r.checkCluster(ctx); err != nil {
		return err
	}
	_, err := r.renewAll(ctx, of(r.chosen, stageFunction))
	return err
}

// renewAll returns whether any function had other values than the present ones. In the end all of them are ready with those, also one that
// somebody else, or an interrupted call, began to renew.
func (r *rollout) renewAll(ctx context.Context, functions []*object) (renewed bool, err error) {
	_, read, _, err := r.present(ctx)
	if err != nil {
		return false, err
	}
	patches := make([][]byte, len(functions))
	for i, f := range functions {
		if patches[i], err = r.renewal(ctx, f, read); err != nil {
			return false, fmt.Errorf("renew: %w", err)
		}
	}
	// Nothing refused: a canary, or traffic that stays where it is, would be found half way otherwise.
	var changed []*object
	for i, f := range functions {
		if patches[i] == nil {
			continue
		}
		if _, err := kubectl(ctx, nil, "patch", serviceKind, f.GetName(), "--namespace", f.GetNamespace(), "--type", "merge", "--patch", string(patches[i])); err != nil {
			return false, fmt.Errorf("renew %s: %w", f.GetName(), err)
		}
		changed = append(changed, f)
	}
	if err := r.await(ctx, functions, servingv1.ServiceConditionReady); err != nil || len(changed) == 0 {
		return len(changed) > 0, err
	}
	return true, r.smoke(ctx, changed)
}

// renewal is what changes of a function; nil when it has the present values already.
func (r *rollout) renewal(ctx context.Context, f *object, read *settings) ([]byte, error) {
	live, err := get(ctx, f.GetNamespace(), serviceKind, f.GetName())
	if err != nil {
		return nil, fmt.Errorf("read function %s: %w", f.GetName(), err)
	}
	if live == nil {
		return nil, fmt.Errorf("%s is not in the cluster: run make deploy FN=%s", f.GetName(), f.GetName())
	}
	var now servingv1.Service
	if err := into(live, &now); err != nil {
		return nil, err
	}
	if under, ok := canaryOf(&now); ok {
		return nil, underWay(&now, under)
	}
	if pinned(&now) {
		return nil, fmt.Errorf("the traffic of %s stays with %s since a rollback, so a new revision would get none: run make deploy FN=%s", f.GetName(), serving(&now), f.GetName())
	}
	all, err := revisionsOf(ctx, f.GetNamespace(), f.GetName())
	if err != nil {
		return nil, err
	}
	had := revisionOf(live)
	if err := nameRevision(live, read); err != nil {
		return nil, err
	}
	name := all.freeName(revisionOf(live), had)
	if name == had {
		r.say("%s has the present values", had)
		return nil, nil
	}
	if err := setRevision(f, name); err != nil { // for whoever waits for it and fails
		return nil, err
	}
	r.say("renewing %s as %s", had, name)
	return json.Marshal(map[string]any{
		// What make rollback leads to stays: this is the same code.
		"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"name": name}}},
	})
}

// readers are the functions of the overlay that read a Secret, and so take part in a change of it.
func (r *rollout) readers(secret string) ([]*object, error) {
	var all []*object
	for _, f := range of(r.rendered, stageFunction) {
		pod, err := podOf(f)
		if err != nil {
			return nil, err
		}
		reads := false
		references(pod, func(kind, name, _ string, _ *bool) { reads = reads || kind == kindSecret && name == secret })
		if reads {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no function of overlay %s reads Secret %s", r.overlay, secret)
	}
	return all, nil
}

func namesOf(objects []*object) string {
	names := make([]string, 0, len(objects))
	for _, o := range objects {
		names = append(names, o.GetName())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

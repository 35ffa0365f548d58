package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"knative.dev/pkg/apis"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

const (
	// readyTimeout leaves time to pull an image; what starts at all does so in seconds.
	readyTimeout = 3 * time.Minute
	// failureGrace is how long a function must stay failed to count as failed: Knative also says so for a moment
	// while its parts learn of each other.
	failureGrace = 15 * time.Second
)

// rollFunctions applies all functions, so that their pods start side by side, waits for each, and gives them the wanted
// traffic where they do not have it by then.
func (r *rollout) rollFunctions(ctx context.Context, functions []*object, wanted split) error {
	var held []*object
	for _, f := range functions {
		hold, err := r.start(ctx, f, wanted)
		if err != nil {
			return err
		}
		if hold {
			held = append(held, f)
		}
	}
	if err := r.await(ctx, functions, servingv1.ServiceConditionReady); err != nil {
		return err
	}
	if len(held) == 0 {
		return nil
	}
	return r.setTraffic(ctx, held, wanted, nil)
}

// start applies one function; held is whether its traffic is not yet the wanted one.
func (r *rollout) start(ctx context.Context, f *object, wanted split) (held bool, err error) {
	live, err := get(ctx, f.GetNamespace(), serviceKind, f.GetName())
	if err != nil {
		return false, fmt.Errorf("read function %s: %w", f.GetName(), err)
	}
	hold := ""
	if live != nil {
		all, err := revisionsOf(ctx, f.GetNamespace(), f.GetName())
		if err != nil {
			return false, err
		}
		if hold, err = r.succeed(f, live, all, wanted); err != nil {
			return false, err
		}
	}
	if err := wanted.route(f, hold); err != nil {
		return false, fmt.Errorf("set traffic of %s: %w", f.GetName(), err)
	}
	if err := r.send(ctx, f); err != nil {
		return false, fmt.Errorf("apply function %s: %w", f.GetName(), err)
	}
	r.say("applied %s", revisionOf(f))
	return hold != "", nil
}

// succeed makes a function the successor of what is live, and returns the revision that keeps all traffic meanwhile.
func (r *rollout) succeed(f, live *object, all revisions, wanted split) (hold string, err error) {
	var now servingv1.Service
	if err := into(live, &now); err != nil {
		return "", err
	}
	if err := setRevision(f, all.freeName(revisionOf(f), revisionOf(live))); err != nil {
		return "", fmt.Errorf("name revision of %s: %w", f.GetName(), err)
	}
	if err := keepTemplate(f, live); err != nil {
		return "", err
	}
	wanted.remember(f, &now)
	hold = wanted.hold(&now)
	switch {
	case hold == "" || all.ready(hold):
		return hold, nil
	case wanted.old != "":
		return "", all.requireReady(hold, "run make deploy FN="+f.GetName()+" in place of a canary")
	}
	r.say("%s is not ready, so nothing can keep its traffic by its name: Knative picks the newest revision of %s that is ready", hold, f.GetName())
	return "", nil
}

// keepTemplate takes the template from the cluster when it is this very revision's: Knative fills in no defaults
// under a name that stays, and then takes their absence for a change, which it refuses.
func keepTemplate(f, live *object) error {
	if revisionOf(live) != revisionOf(f) {
		return nil
	}
	template, _, err := unstructured.NestedMap(live.Object, "spec", "template")
	if err != nil {
		return fmt.Errorf("read template of %s: %w", f.GetName(), err)
	}
	return unstructured.SetNestedMap(f.Object, template, "spec", "template")
}

// send applies one function, by kn when there is one. Both leave the same object behind: kn is told not to add
// an annotation of its own to the template, and the waiting is ours in both cases.
func (r *rollout) send(ctx context.Context, f *object) error {
	document, err := encode([]*object{f})
	if err != nil {
		return err
	}
	if r.kn == "" {
		_, err := kubectl(ctx, document, "apply", "--filename", "-")
		return err
	}
	file, err := os.CreateTemp("", "service-*.yaml")
	if err != nil {
		return fmt.Errorf("make file for kn: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(document)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write file for kn: %w", err)
	}
	_, err = command(ctx, quick, nil, r.kn, "service", "apply", f.GetName(), "--filename", file.Name(),
		"--namespace", f.GetNamespace(), "--no-lock-to-digest", "--no-wait")
	return err
}

// await waits until the condition holds for what was last applied to each function.
func (r *rollout) await(ctx context.Context, functions []*object, condition apis.ConditionType) error {
	within, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %s", readyTimeout))
	defer cancel()
	w := waiting{condition: condition, failed: map[string]time.Time{}, last: map[string]string{}}
	for _, f := range functions {
		w.functions = append(w.functions, f.GetName())
	}
	args := []string{serviceKind, "--namespace", functions[0].GetNamespace()}
	if len(functions) == 1 {
		args = append(args, functions[0].GetName())
	}
	err := watch(within, func(state *object) (bool, error) {
		ready, err := w.see(state, time.Now())
		if ready != "" {
			r.say("%s is ready", ready)
		}
		return len(w.functions) == 0, err
	}, args...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	var found strings.Builder
	for _, f := range functions {
		if slices.Contains(w.functions, f.GetName()) {
			found.WriteString(evidence(ctx, f))
		}
	}
	return fmt.Errorf("%w: %s; the traffic stays with what served before%s", err, w.explain(), found.String())
}

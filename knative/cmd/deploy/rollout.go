package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A rollout is what one call of this program does.
type rollout struct {
	overlay    string
	ingress    string // address at which the ingress is reached; empty: the host of each route, by https
	repository string // where images are pushed
	kn         string // the program, when there is one
	out        io.Writer

	rendered []*object // all that the overlay holds
	chosen   []*object // what this call is about
	function string    // the one function it is about; empty: all
	standsIn bool      // whether the overlay's stand-in serves Eventing's objects
}

func (r *rollout) say(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format+"\n", args...) }

// deploy rolls out one function, or everything when function is empty. With a percent above 0 the new revision
// of the one function gets that much of the traffic, and the present one the rest.
func (r *rollout) deploy(ctx context.Context, function string, percent int64) error {
	if err := r.prepare(ctx, function); err != nil {
		return err
	}
	read, err := r.check(ctx)
	if err != nil {
		return err
	}
	var canary split
	if percent > 0 {
		canary, err = r.beginCanary(ctx, percent)
	} else {
		err = r.refuseCanaries(ctx)
	}
	if err != nil {
		return err
	}
	if err := r.resolveImages(ctx); err != nil {
		return err
	}
	functions := of(r.chosen, stageFunction)
	for _, f := range functions {
		if err := nameRevision(f, read); err != nil {
			return err
		}
		if err := canary.refuse(f); err != nil {
			return err
		}
	}
	if err := r.apply(ctx, "namespaces, limits and workloads", between(r.chosen, stageNamespace, stageWorkload)); err != nil {
		return err
	}
	if err := r.migrate(ctx); err != nil {
		return err
	}
	if err := r.apply(ctx, "settings", of(r.chosen, stageSetting)); err != nil {
		return err
	}
	if err := r.rollFunctions(ctx, functions, canary); err != nil {
		return err
	}
	if err := r.apply(ctx, "routes", between(r.chosen, stageMiddleware, stageRoute)); err != nil {
		return err
	}
	if err := r.applyEventing(ctx); err != nil {
		return err
	}
	if err := r.smoke(ctx, functions); err != nil || function != "" {
		return err
	}
	return r.reportLeftovers(ctx)
}

// prepare renders the overlay and chooses what belongs to the function.
func (r *rollout) prepare(ctx context.Context, function string) error {
	folder := "knative/overlays/" + r.overlay
	rendered, err := command(ctx, quick, nil, "kubectl", "kustomize", folder)
	if err != nil {
		return fmt.Errorf("render overlay %s: %w", r.overlay, err)
	}
	if r.rendered, err = decode(rendered); err != nil {
		return fmt.Errorf("render overlay %s: %w", r.overlay, err)
	}
	r.function, r.chosen = function, r.rendered
	if function != "" {
		var known []string
		for _, f := range of(r.rendered, stageFunction) {
			known = append(known, f.GetName())
		}
		if !slices.Contains(known, function) {
			return fmt.Errorf("there is no function %q in overlay %s; it has %s", function, r.overlay, strings.Join(known, ", "))
		}
		r.chosen = labelled(r.rendered, function, migrateName)
	}
	r.say("rendered overlay %s: %d objects", r.overlay, len(r.chosen))
	return nil
}

// apply sends objects through kubectl, in their order.
func (r *rollout) apply(ctx context.Context, what string, objects []*object) error {
	if len(objects) == 0 {
		return nil
	}
	documents, err := encode(objects)
	if err != nil {
		return err
	}
	printed, err := kubectl(ctx, documents, "apply", "--filename", "-")
	if err != nil {
		return fmt.Errorf("apply %s: %w", what, err)
	}
	changed := 0
	for line := range strings.Lines(string(printed)) {
		if !strings.HasSuffix(strings.TrimSpace(line), " unchanged") {
			changed++
		}
	}
	r.say("applied %s: %d objects, %d created or configured", what, len(objects), changed)
	return nil
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// reportLeftovers names what the cluster has of ours and the overlay lacks, each with the command that deletes it. It deletes
// nothing itself: a mistake in an overlay must not cost a function.
func (r *rollout) reportLeftovers(ctx context.Context) error {
	wanted := r.rendered
	if r.standsIn {
		// The cluster does not know Eventing's kinds, and the stand-in forgets what it is not given.
		wanted = append(between(wanted, stageNamespace, stageStandIn), manifestsConfig(r.standIn(), nil))
	}
	for _, namespace := range namespaces(wanted) {
		found, err := list(ctx, strings.Join(listedKinds(wanted), ","), "--namespace", namespace, "--selector", partLabel+"="+system)
		if err != nil {
			return fmt.Errorf("look for what is left over in %s: %w", namespace, err)
		}
		for _, o := range leftovers(found, wanted) {
			r.say("%s %s is not in overlay %s: kubectl -n %s delete %s %s", o.GetKind(), o.GetName(), r.overlay, namespace, kindArgument(o), o.GetName())
		}
	}
	return nil
}

// leftovers returns what was found and is not wanted, but for what other objects own: Knative gives a function's labels
// to all that it makes of it.
func leftovers(found, wanted []*object) []*object {
	return slices.DeleteFunc(slices.Clone(found), func(o *object) bool {
		return len(o.GetOwnerReferences()) > 0 || slices.ContainsFunc(wanted, func(w *object) bool {
			return kindArgument(w) == kindArgument(o) && w.GetNamespace() == o.GetNamespace() && w.GetName() == o.GetName()
		})
	})
}

// listedKinds returns the kinds of objects in namespaces, as kubectl takes them, each once. Secrets are made by hand, and each
// rollout replaces its Job.
func listedKinds(objects []*object) []string {
	var kinds []string
	for _, o := range objects {
		if o.GetNamespace() != "" && o.GetKind() != kindSecret && stageOf(o) != stageMigrate {
			kinds = append(kinds, kindArgument(o))
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// kindArgument names an object's kind so that kubectl takes it for no other, as trigger.eventing.knative.dev.
func kindArgument(o *object) string {
	gvk := o.GroupVersionKind()
	if gvk.Group == "" {
		return strings.ToLower(gvk.Kind)
	}
	return strings.ToLower(gvk.Kind) + "." + gvk.Group
}

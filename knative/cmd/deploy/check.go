package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// missingGroup says how to mend a cluster that does not define an API group of ours.
var missingGroup = map[string]string{
	"serving.knative.dev":  "install Knative Serving",
	"traefik.io":           "install Traefik with its custom resources",
	"eventing.knative.dev": "install Knative Eventing, or use an overlay that brings its stand-in",
	"sources.knative.dev":  "install Knative Eventing, or use an overlay that brings its stand-in",
}

// check makes sure, before anything changes, that the cluster can be reached and has all that is needed. It
// returns what functions read, as it will be.
func (r *rollout) check(ctx context.Context) (*settings, error) {
	if r.repository == "" {
		return nil, errors.New("KO_DOCKER_REPO is not set: it says where images are pushed, as in registry.example.com/honeydue")
	}
	if err := r.checkCluster(ctx); err != nil {
		return nil, err
	}
	needs, err := needsOf(r.chosen)
	if err != nil {
		return nil, err
	}
	has, read, absent, err := r.present(ctx)
	if err != nil {
		return nil, err
	}
	if r.function != "" && len(absent) > 0 {
		return nil, fmt.Errorf("namespace %s is not in the cluster yet: run make deploy without FN first", strings.Join(absent, ", "))
	}
	if missing := has.missing(needs); len(missing) > 0 {
		return nil, explainMissing(missing, absent)
	}
	if r.function != "" && r.standsIn {
		if _, err := r.servedByStandIn(ctx); err != nil {
			return nil, err
		}
	}
	r.say("checked the cluster: %d keys of Secrets and ConfigMaps are there", len(needs))
	return read, nil
}

// checkCluster makes sure that the cluster can be reached and is one that the overlay is for.
func (r *rollout) checkCluster(ctx context.Context) error {
	groups, err := apiGroups(ctx)
	if err != nil {
		return err
	}
	return r.checkGroups(groups)
}

func apiGroups(ctx context.Context) (map[string]bool, error) {
	printed, err := kubectl(ctx, nil, "get", "--raw", "/apis")
	if err != nil {
		return nil, fmt.Errorf("reach the cluster of kubectl's context (kubectl config current-context): %w", err)
	}
	var list metav1.APIGroupList
	if err := json.Unmarshal(printed, &list); err != nil {
		return nil, fmt.Errorf("decode API groups: %w", err)
	}
	groups := map[string]bool{}
	for _, g := range list.Groups {
		groups[g.Name] = true
	}
	return groups, nil
}

// checkGroups refuses a cluster that does not know a kind of ours. A stand-in of Eventing knows Eventing's.
func (r *rollout) checkGroups(groups map[string]bool) error {
	r.standsIn = r.standIn() != nil
	if r.standsIn && groups["eventing.knative.dev"] {
		return fmt.Errorf("the cluster has Knative Eventing, and overlay %s would put its stand-in in the place of it: "+
			"is this the right cluster (kubectl config current-context) and the right OVERLAY?", r.overlay)
	}
	for _, o := range r.chosen {
		if r.standsIn && stageOf(o) >= stageBroker {
			continue
		}
		group := o.GroupVersionKind().Group
		if mend, ours := missingGroup[group]; ours && !groups[group] {
			return fmt.Errorf("the cluster does not define %s, which %s %s needs: %s", group, o.GetKind(), o.GetName(), mend)
		}
	}
	return nil
}

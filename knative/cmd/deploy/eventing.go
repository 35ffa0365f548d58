package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// The ConfigMap from which the stand-in reads what Eventing would read from the cluster.
	manifestsName = "manifests"
	manifestsKey  = "all.yaml"
	// manifestsHash is on the stand-in's pods, so that a change makes new ones.
	manifestsHash = "honeydue.eventing/manifests"
)

// standIn returns the overlay's stand-in of Eventing; nil when it has none.
func (r *rollout) standIn() *object {
	if found := of(r.rendered, stageStandIn); len(found) > 0 {
		return found[0]
	}
	return nil
}

// applyEventing gives Brokers, Triggers and schedules to Eventing, or to its stand-in.
func (r *rollout) applyEventing(ctx context.Context) error {
	wanted := between(r.chosen, stageBroker, stageEventing)
	slices.SortStableFunc(wanted, byStageAndName)
	if r.standsIn {
		return r.applyStandIn(ctx, wanted)
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := r.apply(ctx, "events", wanted); err != nil {
		return err
	}
	documents, err := encode(wanted)
	if err != nil {
		return err
	}
	if _, err := command(ctx, readyTimeout, documents, "kubectl", "wait", "--for", "condition=Ready", "--timeout", "2m", "--filename", "-"); err != nil {
		return fmt.Errorf("wait for events: %w", err)
	}
	return nil
}

func (r *rollout) applyStandIn(ctx context.Context, wanted []*object) error {
	if r.function != "" {
		served, err := r.servedByStandIn(ctx)
		if err != nil {
			return err
		}
		wanted = replaceFunction(served, wanted, r.function)
	}
	documents, err := encode(wanted)
	if err != nil {
		return err
	}
	config := manifestsConfig(r.standIn(), documents)
	if err := r.apply(ctx, "events of the stand-in", []*object{config}); err != nil {
		return err
	}
	sum := sha256.Sum256(documents)
	if err := r.restartStandIn(ctx, hex.EncodeToString(sum[:])[:hashLength]); err != nil {
		return err
	}
	deployment := r.standIn()
	if _, err := command(ctx, readyTimeout, nil, "kubectl", "rollout", "status", "deployment", deployment.GetName(),
		"--namespace", deployment.GetNamespace(), "--timeout", "2m"); err != nil {
		return fmt.Errorf("wait for the stand-in of Eventing: %w", err)
	}
	r.say("%s serves %d brokers, triggers and schedules", deployment.GetName(), len(wanted))
	return nil
}

// restartStandIn has pods that know the manifests of this hash. For one function it changes nothing else of them.
func (r *rollout) restartStandIn(ctx context.Context, hash string) error {
	deployment := r.standIn()
	path := []string{"spec", "template", "metadata", "annotations", manifestsHash}
	if r.function == "" {
		if err := unstructured.SetNestedField(deployment.Object, hash, path...); err != nil {
			return fmt.Errorf("mark the stand-in of Eventing: %w", err)
		}
		return r.apply(ctx, "stand-in of Eventing", []*object{deployment})
	}
	patch := map[string]any{}
	if err := unstructured.SetNestedField(patch, hash, path...); err != nil {
		return fmt.Errorf("mark the stand-in of Eventing: %w", err)
	}
	content, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("mark the stand-in of Eventing: %w", err)
	}
	if _, err := kubectl(ctx, nil, "patch", "deployment", deployment.GetName(), "--namespace", deployment.GetNamespace(),
		"--type", "merge", "--patch", string(content)); err != nil {
		return fmt.Errorf("restart the stand-in of Eventing: %w", err)
	}
	return nil
}

func manifestsConfig(standIn *object, documents []byte) *object {
	config := &object{Object: map[string]any{"data": map[string]any{manifestsKey: string(documents)}}}
	config.SetAPIVersion("v1")
	config.SetKind(kindConfigMap)
	config.SetName(manifestsName)
	config.SetNamespace(standIn.GetNamespace())
	config.SetLabels(standIn.GetLabels())
	return config
}

// servedByStandIn returns the objects that the stand-in serves now.
func (r *rollout) servedByStandIn(ctx context.Context) ([]*object, error) {
	config, err := get(ctx, r.standIn().GetNamespace(), "configmap", manifestsName)
	if err != nil {
		return nil, fmt.Errorf("read events of the stand-in: %w", err)
	}
	if config == nil {
		return nil, errors.New("the stand-in of Eventing serves nothing yet: run make deploy without FN first")
	}
	documents, _, err := unstructured.NestedString(config.Object, "data", manifestsKey)
	if err != nil {
		return nil, fmt.Errorf("read events of the stand-in: %w", err)
	}
	return decode([]byte(documents))
}

// replaceFunction returns the served objects with those of one function replaced by what is wanted of it.
func replaceFunction(served, wanted []*object, function string) []*object {
	others := slices.DeleteFunc(slices.Clone(served), func(o *object) bool { return o.GetLabels()[nameLabel] == function })
	all := slices.Concat(others, wanted)
	slices.SortStableFunc(all, byStageAndName)
	return all
}

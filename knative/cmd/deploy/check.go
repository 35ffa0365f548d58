package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
// returns the data of the ConfigMaps as they will be, by "namespace/name".
func (r *rollout) check(ctx context.Context) (map[string]map[string]string, error) {
	groups, err := apiGroups(ctx)
	if err != nil {
		return nil, err
	}
	if r.repository == "" {
		return nil, errors.New("KO_DOCKER_REPO is not set: it says where images are pushed, as in registry.example.com/honeydue")
	}
	if err := r.checkGroups(groups); err != nil {
		return nil, err
	}
	needs, err := needsOf(r.chosen)
	if err != nil {
		return nil, err
	}
	has, configs, absent, err := r.present(ctx)
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
	return configs, nil
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

// present returns what the cluster has, once the chosen objects are applied: keys of Secrets and ConfigMaps,
// the ConfigMaps' data, and the namespaces that do not exist yet.
func (r *rollout) present(ctx context.Context) (keys, map[string]map[string]string, []string, error) {
	has, configs := keys{}, map[string]map[string]string{}
	var absent []string
	for _, namespace := range namespaces(r.chosen) {
		found, err := kubectl(ctx, nil, "get", "namespace", namespace, "--ignore-not-found", "--output", "name")
		if err != nil {
			return nil, nil, nil, fmt.Errorf("look for namespace %s: %w", namespace, err)
		}
		if len(found) == 0 {
			absent = append(absent, namespace)
			continue
		}
		if err := secretKeys(ctx, namespace, has); err != nil {
			return nil, nil, nil, err
		}
		printed, err := kubectl(ctx, nil, "get", "configmaps", "--namespace", namespace, "--output", "json")
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read ConfigMaps of %s: %w", namespace, err)
		}
		var list struct{ Items []map[string]any }
		if err := json.Unmarshal(printed, &list); err != nil {
			return nil, nil, nil, fmt.Errorf("decode ConfigMaps of %s: %w", namespace, err)
		}
		for _, item := range list.Items {
			if err := addConfig(&object{Object: item}, has, configs); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	for _, o := range r.chosen {
		if o.GetKind() == kindConfigMap {
			if err := addConfig(o, has, configs); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	if r.standsIn {
		has[need{kind: kindConfigMap, namespace: r.standIn().GetNamespace(), name: manifestsName}] = []string{manifestsKey}
	}
	return has, configs, absent, nil
}

func addConfig(o *object, has keys, configs map[string]map[string]string) error {
	data := map[string]string{}
	if err := into(o, &data, "data"); err != nil {
		return err
	}
	names := []string{}
	for key := range data {
		names = append(names, key)
	}
	has[need{kind: kindConfigMap, namespace: o.GetNamespace(), name: o.GetName()}] = names
	configs[o.GetNamespace()+"/"+o.GetName()] = data
	return nil
}

// secretKeys has kubectl print the names of keys alone: no value comes into this program.
func secretKeys(ctx context.Context, namespace string, has keys) error {
	const names = `{{range .items}}{{.metadata.name}}{{range $key, $value := .data}} {{$key}}{{end}}{{"\n"}}{{end}}`
	printed, err := kubectl(ctx, nil, "get", "secrets", "--namespace", namespace, "--output", "go-template="+names)
	if err != nil {
		return fmt.Errorf("read names of Secrets of %s: %w", namespace, err)
	}
	for line := range strings.Lines(string(printed)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			has[need{kind: kindSecret, namespace: namespace, name: fields[0]}] = fields[1:]
		}
	}
	return nil
}

func namespaces(objects []*object) []string {
	var all []string
	for _, o := range objects {
		if namespace := o.GetNamespace(); namespace != "" {
			all = append(all, namespace)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

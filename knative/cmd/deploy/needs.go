package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)

// A need is a key that a pod cannot start without. An empty key asks for the object alone.
type need struct{ kind, namespace, name, key string }

// needsOf returns what the pods of these objects need, sorted, each once.
func needsOf(objects []*object) ([]need, error) {
	var all []need
	for _, o := range objects {
		pod, err := podOf(o)
		if err != nil {
			return nil, err
		}
		references(pod, func(kind, name, key string, optional *bool) {
			if optional == nil || !*optional {
				all = append(all, need{kind, o.GetNamespace(), name, key})
			}
		})
	}
	slices.SortFunc(all, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key))
	})
	return slices.Compact(all), nil
}

// references calls add with every key of a Secret or ConfigMap that a pod names.
func references(pod *corev1.PodSpec, add adder) {
	for _, c := range containers(pod) {
		addEnvironment(c, add)
	}
	for _, v := range pod.Volumes {
		addVolume(v, add)
	}
}

type adder func(kind, name, key string, optional *bool)

func addEnvironment(c corev1.Container, add adder) {
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		if from := e.ValueFrom.SecretKeyRef; from != nil {
			add(kindSecret, from.Name, from.Key, from.Optional)
		}
		if from := e.ValueFrom.ConfigMapKeyRef; from != nil {
			add(kindConfigMap, from.Name, from.Key, from.Optional)
		}
	}
	for _, e := range c.EnvFrom {
		if from := e.SecretRef; from != nil {
			add(kindSecret, from.Name, "", from.Optional)
		}
		if from := e.ConfigMapRef; from != nil {
			add(kindConfigMap, from.Name, "", from.Optional)
		}
	}
}

func addVolume(v corev1.Volume, add adder) {
	if from := v.Secret; from != nil {
		addKeys(kindSecret, from.SecretName, from.Items, from.Optional, add)
	}
	if from := v.ConfigMap; from != nil {
		addKeys(kindConfigMap, from.Name, from.Items, from.Optional, add)
	}
	if v.Projected == nil {
		return
	}
	for _, source := range v.Projected.Sources {
		if from := source.Secret; from != nil {
			addKeys(kindSecret, from.Name, from.Items, from.Optional, add)
		}
		if from := source.ConfigMap; from != nil {
			addKeys(kindConfigMap, from.Name, from.Items, from.Optional, add)
		}
	}
}

func addKeys(kind, name string, items []corev1.KeyToPath, optional *bool, add adder) {
	add(kind, name, "", optional)
	for _, item := range items {
		add(kind, name, item.Key, optional)
	}
}

// keys is what a cluster has: for each need with an empty key, the keys of that object.
type keys map[need][]string

// missing returns the needs that the cluster does not meet.
func (k keys) missing(needs []need) []need {
	var missing []need
	for _, n := range needs {
		object := n
		object.key = ""
		if has, exists := k[object]; !exists || (n.key != "" && !slices.Contains(has, n.key)) {
			missing = append(missing, n)
		}
	}
	return missing
}

// explainMissing says what is missing and how to mend it. Absent are the namespaces that do not exist yet.
func explainMissing(missing []need, absent []string) error {
	var mend strings.Builder
	for _, namespace := range absent {
		if slices.ContainsFunc(missing, func(n need) bool { return n.namespace == namespace }) {
			fmt.Fprintf(&mend, "\n  kubectl create namespace %s", namespace)
		}
	}
	for i := 0; i < len(missing); {
		first := missing[i]
		fmt.Fprintf(&mend, "\n  kubectl -n %s create %s %s", first.namespace, createWord(first.kind), first.name)
		for ; i < len(missing) && missing[i].kind == first.kind && missing[i].namespace == first.namespace && missing[i].name == first.name; i++ {
			if missing[i].key != "" {
				fmt.Fprintf(&mend, " --from-literal=%s=…", missing[i].key)
			}
		}
	}
	return fmt.Errorf("the cluster lacks %d keys that pods cannot start without, so nothing was changed. "+
		"Fill in a copy of knative/overlays/production/.env.example and run make secrets ENV_FILE=…; by hand:%s", len(missing), mend.String())
}

func createWord(kind string) string {
	if kind == kindSecret {
		return "secret generic"
	}
	return "configmap"
}

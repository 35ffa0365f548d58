package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const hashLength = 10 // hexadecimal digits: a name stays short, and two of one function never meet

// nameRevision names the function's revision after all that makes it: the template, and the values that it takes
// from ConfigMaps, so that a changed value is a new revision as well. Configs are by "namespace/name".
func nameRevision(function *object, configs map[string]map[string]string) error {
	template, found, err := unstructured.NestedMap(function.Object, "spec", "template")
	if err != nil || !found {
		return fmt.Errorf("function %s: no spec.template", function.GetName())
	}
	if metadata, ok := template["metadata"].(map[string]any); ok {
		delete(metadata, "name")
		if len(metadata) == 0 {
			delete(template, "metadata")
		}
	}
	pod, err := podOf(function)
	if err != nil {
		return err
	}
	values := map[string]string{}
	references(pod, func(kind, name, key string, _ *bool) {
		if kind != kindConfigMap {
			return
		}
		config := configs[function.GetNamespace()+"/"+name]
		if key == "" {
			maps.Copy(values, prefixed(name, config))
		} else if value, exists := config[key]; exists {
			values[name+"/"+key] = value
		}
	})
	content, err := json.Marshal([]any{template, values})
	if err != nil {
		return fmt.Errorf("encode template of %s: %w", function.GetName(), err)
	}
	sum := sha256.Sum256(content)
	name := function.GetName() + "-" + hex.EncodeToString(sum[:])[:hashLength]
	return unstructured.SetNestedField(function.Object, name, "spec", "template", "metadata", "name")
}

func prefixed(name string, config map[string]string) map[string]string {
	all := map[string]string{}
	for key, value := range config {
		all[name+"/"+key] = value
	}
	return all
}

// sameContent returns whether a revision has the content that name was given for; freeName may have added a number.
func sameContent(revision, name string) bool {
	return revision == name || strings.HasPrefix(revision, name+"-")
}

// freeName keeps the name of the newest revision when that has the same content, and otherwise adds a number to a name
// that an older revision has: Knative would take that one up again with its old age, and whenever a later one
// fails, fall back to one that is newer than it, such as a canary that was rolled back. Live may be nil.
func freeName(ctx context.Context, f, live *object) error {
	if live == nil {
		return nil
	}
	name := revisionOf(f)
	if newest := revisionOf(live); sameContent(newest, name) {
		return unstructured.SetNestedField(f.Object, newest, "spec", "template", "metadata", "name")
	}
	printed, err := kubectl(ctx, nil, "get", "revisions.serving.knative.dev", "--namespace", f.GetNamespace(),
		"--selector", "serving.knative.dev/service="+f.GetName(), "--output", "jsonpath={.items[*].metadata.name}")
	if err != nil {
		return fmt.Errorf("list revisions of %s: %w", f.GetName(), err)
	}
	return unstructured.SetNestedField(f.Object, firstFree(name, strings.Fields(string(printed))), "spec", "template", "metadata", "name")
}

// firstFree returns name, or name with the first number above all that were added to it.
func firstFree(name string, taken []string) string {
	last := 0
	for _, other := range taken {
		if other == name {
			last = max(last, 1)
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(other, name+"-")); err == nil && strings.HasPrefix(other, name+"-") {
			last = max(last, n)
		}
	}
	if last == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(last+1)
}

// revisionOf returns the name that nameRevision gave.
func revisionOf(function *object) string {
	name, _, _ := unstructured.NestedString(function.Object, "spec", "template", "metadata", "name")
	return name
}

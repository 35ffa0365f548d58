package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

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

// revisionOf returns the name that nameRevision gave.
func revisionOf(function *object) string {
	name, _, _ := unstructured.NestedString(function.Object, "spec", "template", "metadata", "name")
	return name
}

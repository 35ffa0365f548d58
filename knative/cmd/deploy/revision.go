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

// nameRevision names the function's revision after all that makes it: the template, the values that it takes from
// ConfigMaps and the versions of its Secrets, so that a changed value is a new revision as well.
func nameRevision(function *object, read *settings) error {
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
	values, versions := map[string]string{}, map[string]string{}
	references(pod, func(kind, name, key string, _ *bool) {
		at := function.GetNamespace() + "/" + name
		if kind == kindSecret {
			// One that is optional and not there has none.
			versions[name] = read.versions[at]
			return
		}
		config := read.configs[at]
		if key == "" {
			maps.Copy(values, prefixed(name, config))
		} else if value, exists := config[key]; exists {
			values[name+"/"+key] = value
		}
	})
	content, err := json.Marshal([]any{template, values, versions})
	if err != nil {
		return fmt.Errorf("encode template of %s: %w", function.GetName(), err)
	}
	sum := sha256.Sum256(content)
	name := function.GetName() + "-" + hex.EncodeToString(sum[:])[:hashLength]
	return setRevision(function, name)
}

func prefixed(name string, config map[string]string) map[string]string {
	all := map[string]string{}
	for key, value := range config {
		all[name+"/"+key] = value
	}
	return all
}

func setRevision(function *object, name string) error {
	return unstructured.SetNestedField(function.Object, name, "spec", "template", "metadata", "name")
}

// revisionOf returns the name that nameRevision gave.
func revisionOf(function *object) string {
	name, _, _ := unstructured.NestedString(function.Object, "spec", "template", "metadata", "name")
	return name
}

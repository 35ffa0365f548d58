package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// An object is one document of a manifest as it stands there: nothing is added by reading and writing it.
type object = unstructured.Unstructured

const (
	nameLabel   = "app.kubernetes.io/name"
	partLabel   = "app.kubernetes.io/part-of"
	system      = "honeydue" // the value of partLabel
	migrateName = "migrate"
	standInName = "eventing"
)

// A stage is when an object is applied; stages follow each other in this order.
type stage int

const (
	stageNamespace stage = iota
	stageLimit           // what others refer to or are limited by
	stageWorkload
	stageMigrate
	stageSetting // what functions read, so that a migration that fails has changed nothing of it
	stageFunction
	stageMiddleware // a route that names a middleware that is not there yet answers nothing
	stageRoute
	stageStandIn // of Eventing; it reads what the next stage has
	stageBroker
	stageEventing
)

func stageOf(o *object) stage {
	gvk := o.GroupVersionKind()
	switch gvk.GroupKind() {
	case schema.GroupKind{Kind: "Namespace"}:
		return stageNamespace
	case schema.GroupKind{Kind: kindConfigMap}:
		return stageSetting
	case schema.GroupKind{Group: "serving.knative.dev", Kind: "Service"}:
		return stageFunction
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return stageMigrate
	case schema.GroupKind{Group: "traefik.io", Kind: "Middleware"}:
		return stageMiddleware
	case schema.GroupKind{Group: "eventing.knative.dev", Kind: "Broker"}:
		return stageBroker
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}:
		if o.GetLabels()[nameLabel] == standInName {
			return stageStandIn
		}
		return stageWorkload
	}
	switch gvk.Group {
	case "traefik.io":
		return stageRoute
	case "eventing.knative.dev", "sources.knative.dev":
		return stageEventing
	case "apps", "policy":
		return stageWorkload
	}
	return stageLimit
}

// between returns the objects of these stages, in the order in which they are to be applied.
func between(objects []*object, first, last stage) []*object {
	var chosen []*object
	for _, o := range objects {
		if s := stageOf(o); s >= first && s <= last {
			chosen = append(chosen, o)
		}
	}
	slices.SortStableFunc(chosen, func(a, b *object) int { return cmp.Compare(stageOf(a), stageOf(b)) })
	return chosen
}

// byStageAndName orders objects in a way that does not depend on where they came from.
func byStageAndName(a, b *object) int {
	return cmp.Or(cmp.Compare(stageOf(a), stageOf(b)), cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetName(), b.GetName()))
}

func of(objects []*object, s stage) []*object { return between(objects, s, s) }

// labelled returns the objects that belong to one of these names.
func labelled(objects []*object, names ...string) []*object {
	var chosen []*object
	for _, o := range objects {
		if slices.Contains(names, o.GetLabels()[nameLabel]) {
			chosen = append(chosen, o)
		}
	}
	return chosen
}

// decode reads YAML documents; those without content are left out.
func decode(documents []byte) ([]*object, error) {
	var objects []*object
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(documents))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split documents: %w", err)
		}
		converted, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, fmt.Errorf("parse document: %w", err)
		}
		if string(converted) == "null" {
			continue
		}
		o := &object{}
		if err := o.UnmarshalJSON(converted); err != nil {
			return nil, fmt.Errorf("decode document: %w", err)
		}
		objects = append(objects, o)
	}
}

// encode writes YAML documents, the same bytes for the same objects.
func encode(objects []*object) ([]byte, error) {
	var documents bytes.Buffer
	for _, o := range objects {
		document, err := yaml.Marshal(o.Object)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		documents.WriteString("---\n")
		documents.Write(document)
	}
	return documents.Bytes(), nil
}

// into converts a part of an object, or the whole of it, to its type; a part that is not there leaves v as it is.
func into(o *object, v any, path ...string) error {
	part, found, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	if err != nil || !found {
		return err
	}
	content, err := json.Marshal(part)
	if err == nil {
		err = json.Unmarshal(content, v)
	}
	if err != nil {
		return fmt.Errorf("convert %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

// manifests is what the folder holds, ready to be served.
type manifests struct {
	namespace string
	triggers  map[string][]broker.Trigger // by Broker
	schedules []schedule.Source
}

// load reads every *.yaml file of a folder. A document that is none of the three kinds, that has a field nobody
// knows, another namespace or a name that stands twice, and a Trigger of no Broker are errors that name the file.
func load(fsys fs.FS, namespace string) (*manifests, error) {
	m := &manifests{namespace: namespace, triggers: map[string][]broker.Trigger{}}
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list manifests: %w", err)
	}
	var documents []document
	for _, file := range files {
		split, err := read(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		documents = append(documents, split...)
	}
	// Brokers first, wherever they stand: Triggers name them.
	slices.SortStableFunc(documents, func(a, b document) int { return rank(a) - rank(b) })
	seen := map[string]bool{}
	for _, d := range documents {
		what := d.Kind + " " + d.Name
		if seen[what] {
			return nil, fmt.Errorf("%s: %s: metadata.name: stands twice", d.file, what)
		}
		seen[what] = true
		if err := m.add(d); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", d.file, what, err)
		}
	}
	if len(m.triggers) == 0 {
		return nil, errors.New("load manifests: there is no Broker")
	}
	return m, nil
}

// document is one YAML document as JSON, and what it says it is.
type document struct {
	file string
	json []byte
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
}

func rank(d document) int {
	if d.Kind == "Broker" {
		return 0
	}
	return 1
}

func read(fsys fs.FS, file string) ([]document, error) {
	content, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	var all []document
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content))); ; {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split documents: %w", err)
		}
		d := document{file: file}
		if d.json, err = yaml.YAMLToJSONStrict(text); err != nil {
			return nil, fmt.Errorf("parse: %w", err)
		}
		if string(d.json) == "null" {
			continue // nothing but comments
		}
		if err := json.UnmarshalCaseSensitivePreserveInts(d.json, &d); err != nil {
			return nil, fmt.Errorf("decode: %w", err)
		}
		all = append(all, d)
	}
}

func (m *manifests) add(d document) error {
	if d.Namespace != m.namespace {
		return fmt.Errorf("metadata.namespace: is %q, not %q", d.Namespace, m.namespace)
	}
	switch d.APIVersion + " " + d.Kind {
	case "eventing.knative.dev/v1 Broker":
		m.triggers[d.Name] = nil
		return decode(d.json, &knative.Broker{})
	case "eventing.knative.dev/v1 Trigger":
		return m.addTrigger(d)
	case "sources.knative.dev/v1 PingSource":
		return m.addSchedule(d)
	}
	return fmt.Errorf("apiVersion %q: is not served", d.APIVersion)
}

func (m *manifests) addTrigger(d document) error {
	var t knative.Trigger
	if err := decode(d.json, &t); err != nil {
		return err
	}
	others, known := m.triggers[t.Spec.Broker]
	if !known {
		return fmt.Errorf("spec.broker: there is no Broker %q", t.Spec.Broker)
	}
	m.triggers[t.Spec.Broker] = append(others, broker.Trigger{
		Name:       t.Name,
		Attributes: t.Spec.Filter.Attributes,
		Filters:    t.Spec.Filters,
		Subscriber: t.Spec.Subscriber,
		Delivery:   t.Spec.Delivery,
	})
	return nil
}

func (m *manifests) addSchedule(d document) error {
	var p knative.PingSource
	if err := decode(d.json, &p); err != nil {
		return err
	}
	m.schedules = append(m.schedules, schedule.Source{
		Namespace:   p.Namespace,
		Name:        p.Name,
		Schedule:    p.Spec.Schedule,
		Timezone:    p.Spec.Timezone,
		ContentType: p.Spec.ContentType,
		Data:        p.Spec.Data,
		Sink:        p.Spec.Sink,
	})
	return nil
}

// decode minds the case of keys, as a cluster does, and refuses those that nobody knows.
func decode(document []byte, into any) error {
	strict, err := json.UnmarshalStrict(document, into)
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return errors.Join(strict...)
}

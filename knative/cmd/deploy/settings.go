package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// settings is what functions read, by "namespace/name": the data of ConfigMaps, and the versions of Secrets, whose values do
// not come into this program.
type settings struct {
	configs  map[string]map[string]string
	versions map[string]string
}

// present returns what the cluster has, once the chosen objects are applied: keys of Secrets and ConfigMaps,
// what functions read of them, and the namespaces that do not exist yet.
func (r *rollout) present(ctx context.Context) (keys, *settings, []string, error) {
	has, read := keys{}, &settings{map[string]map[string]string{}, map[string]string{}}
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
		// kubectl prints the names of keys alone: no value comes into this program.
		const names = `{{range .items}}{{.metadata.name}} {{.metadata.resourceVersion}}{{range $key, $value := .data}} {{$key}}{{end}}{{"\n"}}{{end}}`
		printed, err := kubectl(ctx, nil, "get", "secrets", "--namespace", namespace, "--output", "go-template="+names)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read names of Secrets of %s: %w", namespace, err)
		}
		read.addSecrets(string(printed), namespace, has)
		configs, err := list(ctx, "configmaps", "--namespace", namespace)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read ConfigMaps of %s: %w", namespace, err)
		}
		for _, o := range configs {
			if err := read.addConfig(o, has); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	for _, o := range r.chosen {
		if o.GetKind() == kindConfigMap {
			if err := read.addConfig(o, has); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	if r.standsIn {
		has[need{kind: kindConfigMap, namespace: r.standIn().GetNamespace(), name: manifestsName}] = []string{manifestsKey}
	}
	return has, read, absent, nil
}

func (s *settings) addConfig(o *object, has keys) error {
	data := map[string]string{}
	if err := into(o, &data, "data"); err != nil {
		return err
	}
	names := []string{}
	for key := range data {
		names = append(names, key)
	}
	has[need{kind: kindConfigMap, namespace: o.GetNamespace(), name: o.GetName()}] = names
	s.configs[o.GetNamespace()+"/"+o.GetName()] = data
	return nil
}

// addSecrets reads a line for each Secret of a namespace: its name, its version and its keys.
func (s *settings) addSecrets(lines, namespace string, has keys) {
	for line := range strings.Lines(lines) {
		if fields := strings.Fields(line); len(fields) > 1 {
			has[need{kind: kindSecret, namespace: namespace, name: fields[0]}] = fields[2:]
			s.versions[namespace+"/"+fields[0]] = fields[1]
		}
	}
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

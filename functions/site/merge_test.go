package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

type object = map[string]any

// A part is what one function says of itself.
type part struct {
	function string
	document object
}

// merge adds the parts to head. It refuses two functions with one path, one operation id, or different components
// of one name, and calls under a tag that head does not describe.
func merge(head object, parts []part) (object, error) {
	merged := maps.Clone(head)
	paths, components, ids := object{}, object{}, map[string]string{}
	owner := map[string]string{}
	tags := tagNames(head)
	for _, p := range parts {
		calls, _ := p.document["paths"].(object)
		for path, item := range calls {
			if owner[path] != "" {
				return nil, fmt.Errorf("%s and %s both have path %s", owner[path], p.function, path)
			}
			owner[path], paths[path] = p.function, item
		}
		for name, call := range operations(calls) {
			id, _ := call["operationId"].(string)
			if other, taken := ids[id]; taken || id == "" {
				return nil, fmt.Errorf("%s of %s has no operation id of its own, but %q of %s", name, p.function, id, other)
			}
			ids[id] = p.function
			if call["tags"] = spelt(call["tags"], tags); call["tags"] == nil {
				return nil, fmt.Errorf("%s of %s has not exactly one tag of %v", name, p.function, tags)
			}
			if call["summary"] == nil {
				return nil, fmt.Errorf("%s of %s has no summary", name, p.function)
			}
		}
		kinds, _ := p.document["components"].(object)
		if err := addComponents(components, kinds); err != nil {
			return nil, fmt.Errorf("%s: %w", p.function, err)
		}
	}
	merged["paths"], merged["components"] = paths, components
	return merged, nil
}

func addComponents(to, from object) error {
	for kind, entries := range from {
		named, _ := entries.(object)
		if to[kind] == nil {
			to[kind] = object{}
		}
		for name, entry := range named {
			known, ok := to[kind].(object)[name]
			if ok && !reflect.DeepEqual(known, entry) {
				return fmt.Errorf("another function has another %s of the name %s", kind, name)
			}
			to[kind].(object)[name] = entry
		}
	}
	return nil
}

// operations returns the calls by method and path.
func operations(paths object) map[string]object {
	calls := map[string]object{}
	for path, item := range paths {
		for method, call := range item.(object) {
			calls[strings.ToUpper(method)+" "+path] = call.(object)
		}
	}
	return calls
}

func tagNames(head object) []string {
	var names []string
	tags, _ := head["tags"].([]any)
	for _, tag := range tags {
		names = append(names, tag.(object)["name"].(string))
	}
	return names
}

// spelt writes the one tag of a call as the head does, or is nil when the head has no such tag.
func spelt(tags any, names []string) any {
	given, _ := tags.([]any)
	for _, name := range names {
		if len(given) == 1 && strings.EqualFold(fmt.Sprint(given[0]), name) {
			return []any{name}
		}
	}
	return nil
}

func readObject(t *testing.T, path string) object {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var read object
	require.NoError(t, json.Unmarshal(text, &read), path)
	return read
}

// readParts returns the documents of all functions that have routes for the app. Operators have a document of their own.
func readParts(t *testing.T) []part {
	t.Helper()
	routes, err := filepath.Glob("../*/routes.go")
	require.NoError(t, err)
	require.NotEmpty(t, routes)
	var parts []part
	for _, path := range routes {
		folder := filepath.Dir(path)
		if filepath.Base(folder) == "admin" {
			continue
		}
		parts = append(parts, part{filepath.Base(folder), readObject(t, filepath.Join(folder, "openapi.json"))})
	}
	return parts
}

func TestMergedOpenAPI(t *testing.T) {
	t.Parallel()
	document, err := merge(readObject(t, "head.json"), readParts(t))
	require.NoError(t, err)
	functiontest.File(t, "merged.json", document)

	stands := readObject(t, "merged.json")
	requireValid(t, stands)
	bare, err := unexplained(stands)
	require.NoError(t, err)
	require.Empty(t, bare, "give these an example")
	calls := operations(stands["paths"].(object))
	for _, p := range readParts(t) {
		for name, call := range operations(p.document["paths"].(object)) {
			call["tags"] = calls[name]["tags"]
			require.Equal(t, call, calls[name], "%s of %s lost something, such as its security", name, p.function)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	document := func(path, id, tag, kind string) object {
		return object{
			"paths":      object{path: object{"get": object{"operationId": id, "summary": "Do it", "tags": []any{tag}}}},
			"components": object{"schemas": object{"Thing": object{"type": kind}}},
		}
	}
	head := object{"tags": []any{object{"name": "Tasks"}}}
	tasks := part{"tasks", document("/api/tasks/", "list", "Tasks", "string")}
	for wrong, other := range map[string]object{
		"tasks and auth both have path":  document("/api/tasks/", "other", "Tasks", "string"),
		"has no operation id of its own": document("/api/auth/", "list", "Tasks", "string"),
		"another schemas of the name":    document("/api/auth/", "other", "Tasks", "object"),
		"has not exactly one tag of":     document("/api/auth/", "other", "Tsaks", "string"),
	} {
		_, err := merge(head, []part{tasks, {"auth", other}})
		require.ErrorContains(t, err, wrong)
	}
	_, err := merge(head, []part{tasks, {"auth", document("/api/auth/", "other", "Tasks", "string")}})
	require.NoError(t, err)
}

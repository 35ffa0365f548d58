package tests

import (
	"slices"
	"strings"
)

// A document is what these tests read of an OpenAPI document.
type document struct {
	Paths      map[string]map[string]described
	Components struct{ Schemas map[string]schema }
}

// described is an operation as the document has it.
type described struct {
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	} `json:"requestBody"`
	Parameters []struct{ Name, In string }

	schemas map[string]schema
}

type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]schema
	Items      *schema
	OneOf      []schema `json:"oneOf"`
	AnyOf      []schema `json:"anyOf"`
	AllOf      []schema `json:"allOf"`
}

// element stands in a path for each element of an array.
const element = "[]"

// isID returns whether a field of that name refers to a thing.
func isID(name string) bool { return strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids") }

// bodyIDs returns the paths of all fields of the body that refer to things.
func (d described) bodyIDs() [][]string {
	var found [][]string
	for _, content := range d.RequestBody.Content {
		found = append(found, d.idsIn(content.Schema, nil)...)
	}
	return found
}

func (d described) idsIn(s schema, at []string) [][]string {
	const deepest = 10
	if len(at) > deepest {
		return nil
	}
	if s.Ref != "" {
		s = d.schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	var found [][]string
	for name, property := range s.Properties {
		path := append(slices.Clone(at), name)
		if isID(name) {
			found = append(found, path)
			continue
		}
		found = append(found, d.idsIn(property, path)...)
	}
	if s.Items != nil {
		found = append(found, d.idsIn(*s.Items, append(slices.Clone(at), element))...)
	}
	for _, part := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		found = append(found, d.idsIn(part, at)...)
	}
	return found
}

// queryIDs returns the names of all query parameters that refer to things.
func (d described) queryIDs() []string {
	var found []string
	for _, p := range d.Parameters {
		if p.In == "query" && isID(p.Name) {
			found = append(found, p.Name)
		}
	}
	return found
}

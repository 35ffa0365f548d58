package main

import (
	"encoding/json"
	"slices"
	"strings"
)

// A document is what the pages show of an OpenAPI 3.1 document.
type document struct {
	Info struct {
		Title, Version, Description string
	}
	Servers []struct{ URL string }
	Tags    []struct{ Name, Description string }
	Paths   map[string]map[string]operation // by path and lower-case method

	Components struct {
		Schemas map[string]*schema
	}
}

type operation struct {
	OperationID          string
	Summary, Description string
	Tags                 []string
	Parameters           []parameter
	RequestBody          *body
	Responses            map[string]response // by status code
	Security             []map[string][]string
	Deprecated           bool
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                *schema
	Example               any
}

type body struct {
	Required bool
	Content  map[string]media
}

type response struct {
	Description string
	Content     map[string]media
	Headers     map[string]any
}

type media struct{ Schema *schema }

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 types
	Format, Description  string
	Pattern              string
	Enum, Examples       []any
	Default              any
	Items                *schema
	Properties           map[string]*schema
	Required             []string
	Minimum, Maximum     *json.Number
	MinLength, MaxLength *int
	MinItems, MaxItems   *int
}

// name is that of the component to which a reference leads, or empty.
func (s *schema) name() string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

// types are the JSON types that a value may have. A single one is written without a list.
type types []string

// UnmarshalJSON reads both forms.
func (t *types) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// main is the type beside null.
func (t types) main() string {
	for _, name := range t {
		if name != "null" {
			return name
		}
	}
	return ""
}

func (t types) nullable() bool { return slices.Contains(t, "null") }

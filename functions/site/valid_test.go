package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// validate returns what is wrong with an OpenAPI 3.1 document: its form, its references, components that nothing
// refers to, and each JSON schema in it, which the schema of the form leaves open, with its examples and default.
func validate(document object) error {
	text, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	quiet := datamodel.NewDocumentConfiguration()
	quiet.Logger = slog.New(slog.DiscardHandler)
	read, err := libopenapi.NewDocumentWithConfiguration(text, quiet)
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	if _, err := read.BuildV3Model(); err != nil {
		return fmt.Errorf("follow references: %w", err)
	}
	if ok, wrong := schema_validation.ValidateOpenAPIDocument(read); !ok {
		return fmt.Errorf("form: %v", wrong)
	}
	for name := range schemas(document) {
		if !bytes.Contains(text, []byte(`"#/components/schemas/`+name+`"`)) {
			return fmt.Errorf("nothing refers to schema %s", name)
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("document", any(document)); err != nil {
		return fmt.Errorf("add document: %w", err)
	}
	return eachSchema("", document, func(pointer string, schema object) error {
		compiled, err := compiler.Compile("document#" + pointer)
		if err != nil {
			return fmt.Errorf("schema %s: %w", pointer, err)
		}
		examples, _ := schema["examples"].([]any)
		if given, ok := schema["default"]; ok {
			examples = append(examples, given)
		}
		for _, example := range examples {
			if err := compiled.Validate(example); err != nil {
				return fmt.Errorf("example in %s: %w", pointer, err)
			}
		}
		return nil
	})
}

// eachSchema visits every JSON schema below value, those in schemas too.
func eachSchema(pointer string, value any, visit func(pointer string, schema object) error) error {
	switch v := value.(type) {
	case []any:
		for i, entry := range v {
			if err := eachSchema(fmt.Sprintf("%s/%d", pointer, i), entry, visit); err != nil {
				return err
			}
		}
	case object:
		for key, entry := range v {
			at := pointer + "/" + jsonPointer(key)
			if schema, ok := entry.(object); ok && isSchema(pointer, key) {
				if err := visit(at, schema); err != nil {
					return err
				}
			}
			if err := eachSchema(at, entry, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func requireValid(t *testing.T, document object) {
	t.Helper()
	require.NoError(t, validate(document))
}

// The validator must be one that finds something.
func TestValidatorRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(document object){
		"no title":          func(d object) { delete(d["info"].(object), "title") },
		"unknown key":       func(d object) { d["path"] = object{} },
		"dangling ref":      func(d object) { property(d, object{"$ref": "#/components/schemas/Nowhere"}) },
		"no type":           func(d object) { property(d, object{"type": []any{"", "null"}}) },
		"unknown type":      func(d object) { property(d, object{"type": "text"}) },
		"unused component":  func(d object) { schemas(d)["Spoilt"] = object{"type": "string"} },
		"example":           func(d object) { property(d, object{"type": "string", "maxLength": 1.0, "examples": []any{"ab"}}) },
		"example of format": func(d object) { property(d, object{"type": "string", "format": "date", "examples": []any{"soon"}}) },
		"default":           func(d object) { property(d, object{"type": "integer", "default": "ten"}) },
	} {
		document := readObject(t, "openapi.json")
		require.NoError(t, validate(document))
		spoil(document)
		require.Error(t, validate(document), name)
	}
}

func schemas(d object) object { return d["components"].(object)["schemas"].(object) }

func property(d object, schema object) {
	schemas(d)["Problem"].(object)["properties"].(object)["spoilt"] = schema
}

// isSchema tells a schema from what else has such a key: a property that is called items, for one.
func isSchema(parent, key string) bool {
	last := parent[strings.LastIndexByte(parent, '/')+1:]
	if last == "properties" || parent == "/components/schemas" {
		return true
	}
	return slices.Contains([]string{"schema", "items", "additionalProperties"}, key) && parent != ""
}

func jsonPointer(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}

// unexplained returns the pointers of values in document that show nobody what they look like: without an example, a choice or
// a default, and not of a form that speaks for itself.
func unexplained(document object) ([]string, error) {
	var found []string
	err := eachSchema("", document, func(pointer string, schema object) error {
		parts := strings.Split(pointer, "/")
		named := len(parts) > 2 && parts[len(parts)-2] == "properties" || strings.Contains(pointer, "/parameters/") && parts[len(parts)-1] == "schema"
		if named && !explained(schema) {
			found = append(found, pointer)
		}
		return nil
	})
	slices.Sort(found)
	return found, err
}

func explained(schema object) bool {
	for _, key := range []string{"examples", "enum", "default", "$ref", "const", "properties"} {
		if schema[key] != nil {
			return true
		}
	}
	if items, ok := schema["items"].(object); ok && (items["$ref"] != nil || items["type"] == "object") {
		return true
	}
	speaks := map[string]bool{"boolean": true, "object": true, "date-time": true, "<nil>": true}
	kinds, ok := schema["type"].([]any)
	if !ok {
		kinds = []any{schema["type"]}
	}
	return slices.ContainsFunc(kinds, func(kind any) bool { return speaks[fmt.Sprint(kind)] }) || speaks[fmt.Sprint(schema["format"])] && schema["format"] != nil
}

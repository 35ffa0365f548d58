package events

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// filled returns the entry's data with every field set, as its Go type.
func filled(e Entry) Data {
	value := reflect.New(reflect.TypeOf(e.Data)).Elem()
	for i := range value.NumField() {
		value.Field(i).SetInt(int64(i) + 1)
	}
	return value.Interface().(Data)
}

func schemaOf(t *testing.T, typ string) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	body, err := Schema(typ)
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource(SchemaURI(typ), document))
	schema, err := compiler.Compile(SchemaURI(typ))
	require.NoError(t, err)
	return schema, document.(map[string]any)
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	types := map[string]bool{}
	for _, e := range Catalogue() {
		typ := TypeOf(e.Data)
		require.Regexp(t, `^com\.myhoneydue\.[a-z]+\.[a-z]+(_[a-z]+)*\.v1$`, typ)
		require.False(t, types[typ], "%s is there twice", typ)
		types[typ] = true
		require.NotEmpty(t, e.Consumers, "%s: nobody hears it", typ)
		require.NotEmpty(t, e.Sources, "%s: nobody tells it", typ)
		require.Subset(t, []string{"auth", "residences", "tasks", "uploads", "notifications", "admin"}, e.Sources)
		require.Regexp(t, `^[a-z]+/1$`, firstSubject(e))
		found, ok := Lookup(typ)
		require.True(t, ok)
		require.Equal(t, e.Data, found.Data)
	}
	_, ok := Lookup("com.myhoneydue.task.exploded.v1")
	require.False(t, ok)

	files, err := schemas.ReadDir("schemas")
	require.NoError(t, err)
	for _, file := range files {
		require.True(t, types[strings.TrimSuffix(file.Name(), ".json")], "%s belongs to no type", file.Name())
	}
	_, err = Schema("com.myhoneydue.task.exploded.v1")
	require.Error(t, err)
}

// firstSubject returns the subject of an event about what has the id 1, which every type's first field names.
func firstSubject(e Entry) string { return filled(e).Subject() }

func TestDataFitsItsSchema(t *testing.T) {
	t.Parallel()
	for _, e := range Catalogue() {
		typ := TypeOf(e.Data)
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			schema, document := schemaOf(t, typ)
			require.Equal(t, SchemaURI(typ), document["$id"])
			require.Equal(t, reflect.TypeOf(e.Data).Name(), document["title"])

			var names []any
			goType := reflect.TypeOf(e.Data)
			for i := range goType.NumField() {
				names = append(names, goType.Field(i).Tag.Get("json"))
			}
			require.ElementsMatch(t, names, document["required"])
			require.Len(t, document["properties"], len(names))

			require.NoError(t, schema.Validate(decoded(t, filled(e))))
			require.Error(t, schema.Validate(decoded(t, e.Data)), "an id of 0 is none")
			for _, name := range names {
				without := decoded(t, filled(e)).(map[string]any)
				delete(without, name.(string))
				require.Error(t, schema.Validate(without), "%s left out", name)
			}
			more := decoded(t, filled(e)).(map[string]any)
			more["email"] = "someone@example.com"
			require.Error(t, schema.Validate(more))
		})
	}
}

// Events go through a broker that others may read: what is not a number cannot hold an address, a name or a code.
func TestNoFieldCanHoldAnAddressOrText(t *testing.T) {
	t.Parallel()
	for _, e := range Catalogue() {
		goType := reflect.TypeOf(e.Data)
		for i := range goType.NumField() {
			field := goType.Field(i)
			require.Equal(t, reflect.Int64, field.Type.Kind(), "%s.%s", goType.Name(), field.Name)
			require.Regexp(t, `^[a-z]+_id$`, field.Tag.Get("json"), "%s.%s", goType.Name(), field.Name)
		}
		_, document := schemaOf(t, TypeOf(e.Data))
		for name, property := range document["properties"].(map[string]any) {
			require.Equal(t, "integer", property.(map[string]any)["type"], "%s of %s", name, goType.Name())
		}
	}
}

func decoded(t *testing.T, data Data) any {
	t.Helper()
	body, err := json.Marshal(data)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err)
	return value
}

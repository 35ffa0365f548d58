// Package patch tells a field that a PATCH leaves out from one that it clears.
package patch

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// A Field of a PATCH body: left out (Sent is false), cleared (Value is nil), or set. A field that cannot be
// cleared is a plain pointer with omitempty instead.
type Field[T any] struct {
	Sent  bool
	Value *T
}

// UnmarshalJSON is called only for a field that was sent.
func (f *Field[T]) UnmarshalJSON(data []byte) error {
	f.Sent = true
	return json.Unmarshal(data, &f.Value)
}

// Schema is that of T, or null.
func (Field[T]) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	schema.Nullable = true
	return &schema
}

// Apply changes what target points to if the field was sent.
func (f Field[T]) Apply(target **T) {
	if f.Sent {
		*target = f.Value
	}
}

// Apply changes target if a plain field was sent.
func Apply[T any](sent *T, target *T) {
	if sent != nil {
		*target = *sent
	}
}

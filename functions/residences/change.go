package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/problem"
)

// A Change is the body of a PATCH of fields F, kept as it was sent: decoding it over the stored fields leaves alone what it
// does not name and clears what it names null. S is F with nothing required.
type Change[F, S any] struct{ sent []byte }

// UnmarshalJSON keeps data once it is known to decode.
func (c *Change[F, S]) UnmarshalJSON(data []byte) error {
	c.sent = append([]byte(nil), data...)
	return c.over(new(F))
}

// over changes fields by what was sent.
func (c *Change[F, S]) over(fields *F) error { return c.into(fields) }

func (c *Change[F, S]) into(target any) error { return json.Unmarshal(c.sent, target) }

// keeps refuses to clear the fields of those names, which always have a value.
func (c *Change[F, S]) keeps(names ...string) error {
	var sent map[string]any
	if err := json.Unmarshal(c.sent, &sent); err != nil {
		return fmt.Errorf("decode change: %w", err)
	}
	for _, name := range names {
		if value, named := sent[name]; named && value == nil {
			return problem.Invalid("body."+name, "expected a value that is not null")
		}
	}
	return nil
}

// Schema is that of S.
func (Change[F, S]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[S](), true, "")
}

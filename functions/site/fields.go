package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A field is one value of a request or an answer, in words.
type field struct {
	Name     string
	Type     kind
	Required bool
	Text     string
	Limits   []string
	Choices  []string // the values it may have, when they are few
	Pattern  string
	Example  string
}

// A kind is a type in words. Ref, when set, ends them and names a component.
type kind struct{ Words, Ref, Tail string }

// kindOf writes dates as dates, and lists with what is in them.
func kindOf(s *schema) kind {
	if s == nil {
		return kind{Words: "anything"}
	}
	var k kind
	switch {
	case s.Ref != "":
		return kind{Ref: s.name()}
	case s.Type.main() == "array":
		k = kindOf(s.Items)
		k.Words = "list of " + k.Words
	case s.Format == "date":
		k.Words = "date"
	case s.Format == "date-time":
		k.Words = "instant"
	default:
		k.Words = cmp.Or(s.Type.main(), "anything")
	}
	if s.Type.nullable() {
		k.Tail = " or null"
	}
	return k
}

func newField(name string, s *schema, required bool) field {
	f := field{
		Name: name, Type: kindOf(s), Required: required, Text: s.Description, Limits: limits(s), Pattern: s.Pattern,
	}
	inner := s
	if s.Items != nil {
		inner = s.Items
		f.Limits = append(f.Limits, limits(inner)...)
	}
	for _, choice := range inner.Enum {
		if choice != nil {
			f.Choices = append(f.Choices, fmt.Sprint(choice))
		}
	}
	if len(s.Examples) > 0 {
		f.Example = inJSON(s.Examples[0])
	}
	return f
}

// limits says within which bounds a value must be.
func limits(s *schema) []string {
	var said []string
	if s.Format != "" && !slices.Contains([]string{"date", "date-time", "int32", "int64", "float", "double"}, s.Format) {
		said = append(said, s.Format)
	}
	said = append(said,
		between(s.MinLength, s.MaxLength, "characters"), between(s.MinItems, s.MaxItems, "entries"), between(s.Minimum, s.Maximum, ""))
	if s.Default != nil {
		said = append(said, "default "+inJSON(s.Default))
	}
	return slices.DeleteFunc(said, func(text string) bool { return text == "" })
}

// between writes two bounds, either of which may be missing.
func between[T comparable](low, high *T, unit string) string {
	var words string
	switch {
	case low != nil && high != nil && *low == *high:
		words = fmt.Sprintf("exactly %v", *low)
	case low != nil && high != nil:
		words = fmt.Sprintf("%v to %v", *low, *high)
	case low != nil:
		words = fmt.Sprintf("at least %v", *low)
	case high != nil:
		words = fmt.Sprintf("at most %v", *high)
	default:
		return ""
	}
	return strings.TrimSpace(words + " " + unit)
}

func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// fieldsOf lists the fields of an object, those that must be there first.
func fieldsOf(s *schema) []field {
	if s == nil {
		return nil
	}
	var fields []field
	for name, property := range s.Properties {
		fields = append(fields, newField(name, property, slices.Contains(s.Required, name)))
	}
	slices.SortFunc(fields, func(a, b field) int {
		if a.Required != b.Required {
			if a.Required {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return fields
}

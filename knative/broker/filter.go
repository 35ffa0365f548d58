package broker

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Filter is one entry of a Trigger's `filters`: exactly one of its fields is set. Exact, Prefix and Suffix
// name attributes, extensions too, and hold when every one of them does; an attribute that the event does
// not have never matches.
type Filter struct {
	Exact  map[string]string `json:"exact,omitempty"`
	Prefix map[string]string `json:"prefix,omitempty"`
	Suffix map[string]string `json:"suffix,omitempty"`
	All    []Filter          `json:"all,omitempty"`
	Any    []Filter          `json:"any,omitempty"`
	Not    *Filter           `json:"not,omitempty"`
}

// Matches reports whether the event passes.
func (f Filter) Matches(e event.Event) bool {
	switch {
	case len(f.Exact) > 0:
		return compare(e, f.Exact, func(value, want string) bool { return value == want })
	case len(f.Prefix) > 0:
		return compare(e, f.Prefix, strings.HasPrefix)
	case len(f.Suffix) > 0:
		return compare(e, f.Suffix, strings.HasSuffix)
	case len(f.All) > 0:
		return matchesAll(f.All, e)
	case len(f.Any) > 0:
		for _, one := range f.Any {
			if one.Matches(e) {
				return true
			}
		}
		return false
	case f.Not != nil:
		return !f.Not.Matches(e)
	}
	return true
}

// Validate says what is wrong with the filter, naming the field below path.
func (f Filter) Validate(path string) error {
	var dialects int
	for name, attributes := range map[string]map[string]string{"exact": f.Exact, "prefix": f.Prefix, "suffix": f.Suffix} {
		if len(attributes) == 0 {
			continue
		}
		dialects++
		if err := validateAttributes(path+"."+name, attributes, false); err != nil {
			return err
		}
	}
	for name, nested := range map[string][]Filter{"all": f.All, "any": f.Any} {
		if len(nested) == 0 {
			continue
		}
		dialects++
		for i, one := range nested {
			if err := one.Validate(fmt.Sprintf("%s.%s[%d]", path, name, i)); err != nil {
				return err
			}
		}
	}
	if f.Not != nil {
		dialects++
		if err := f.Not.Validate(path + ".not"); err != nil {
			return err
		}
	}
	if dialects != 1 {
		return fmt.Errorf("%s: wants exactly one of exact, prefix, suffix, all, any, not; has %d", path, dialects)
	}
	return nil
}

func validateAttributes(path string, attributes map[string]string, mayBeAny bool) error {
	for name, value := range attributes {
		if name == "" || name[0] < 'a' || name[0] > 'z' || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return fmt.Errorf("%s: %q is no attribute name: lowercase letters and digits, a letter first", path, name)
		}
		if value == "" && !mayBeAny {
			return fmt.Errorf("%s.%s: is empty", path, name)
		}
	}
	return nil
}

// matchesAttributes is the older `filter.attributes`, where an empty value asks only that the attribute is there.
func matchesAttributes(attributes map[string]string, e event.Event) bool {
	return compare(e, attributes, func(value, want string) bool { return want == "" || value == want })
}

func matchesAll(filters []Filter, e event.Event) bool {
	for _, one := range filters {
		if !one.Matches(e) {
			return false
		}
	}
	return true
}

func compare(e event.Event, attributes map[string]string, holds func(value, want string) bool) bool {
	for name, want := range attributes {
		if value := attribute(e, name); value == "" || !holds(value, want) {
			return false
		}
	}
	return true
}

// attribute is the canonical text of an attribute or extension, empty when the event has none.
func attribute(e event.Event, name string) string {
	switch name {
	case "specversion":
		return e.SpecVersion()
	case "id":
		return e.ID()
	case "type":
		return e.Type()
	case "source":
		return e.Source()
	case "subject":
		return e.Subject()
	case "dataschema":
		return e.DataSchema()
	case "datacontenttype":
		return e.DataContentType()
	case "time":
		if e.Time().IsZero() {
			return ""
		}
		return e.Time().Format(time.RFC3339Nano)
	}
	value, err := types.Format(e.Extensions()[name])
	if err != nil {
		return ""
	}
	return value
}

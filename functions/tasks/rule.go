package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

// shownRule is a recurrence in an answer: a rule, or null.
type shownRule struct{ *recur.Rule }

// MarshalJSON writes the rule or null.
func (r shownRule) MarshalJSON() ([]byte, error) { return json.Marshal(r.Rule) }

// UnmarshalJSON reads what MarshalJSON writes, from a stored answer.
func (r *shownRule) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &r.Rule) }

// Schema is that of a rule, or null.
func (shownRule) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[recur.Rule]())
	schema.Nullable = true
	return &schema
}

// checkRule returns the rule with its defaults, and refuses one that cannot be or that comes beside a frequency. at is the
// path of the body that it was sent in, with its last dot.
func checkRule(at string, rule *recur.Rule, frequency *int64) (*recur.Rule, error) {
	if rule == nil {
		return nil, nil
	}
	if frequency != nil {
		return nil, problem.Invalid(at+"recurrence", "expected either recurrence or frequency_id")
	}
	if err := rule.Validate(); err != nil {
		var refused *recur.FieldError
		if errors.As(err, &refused) {
			return nil, problem.Invalid(at+"recurrence."+refused.Field, refused.Message)
		}
		return nil, fmt.Errorf("check recurrence: %w", err)
	}
	whole := rule.WithDefaults()
	return &whole, nil
}

// ruleText is how a rule travels to a jsonb column.
func ruleText(rule *recur.Rule) (*string, error) {
	if rule == nil {
		return nil, nil
	}
	text, err := json.Marshal(rule)
	if err != nil {
		return nil, fmt.Errorf("encode recurrence: %w", err)
	}
	return new(string(text)), nil
}

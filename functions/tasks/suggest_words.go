package main

import (
	"strconv"
	"strings"
)

// noun is what a field is called in a sentence: "a pool" for a yes or no, "heating" for what people describe.
func noun(field string) string {
	switch field {
	case "sprinkler":
		return "a sprinkler system"
	case "septic":
		return "a septic tank"
	case "basement", "fireplace", "garage", "pool":
		return "a " + field
	case "attic":
		return "an attic"
	default:
		return strings.ReplaceAll(field, "_", " ")
	}
}

// reason says what of the home meets c.
func (c condition) reason(p profile) string {
	if c.Is != nil {
		if *c.Is {
			return "Your home has " + noun(c.Field) + "."
		}
		return "Your home does not have " + noun(c.Field) + "."
	}
	if value, ok := p.number(c.Field); ok && value != nil {
		return c.counted(*value)
	}
	text, _ := p.text(c.Field)
	switch {
	case text == nil:
		return ""
	case c.Field == residenceType:
		return "Your home is " + article(strings.ReplaceAll(*text, "_", " ")) + "."
	default:
		return "Your home's " + noun(c.Field) + ` is noted as "` + *text + `".`
	}
}

func (c condition) counted(value float64) string {
	n := decimal(value)
	switch {
	case c.Field == yearBuilt && c.Before != nil:
		return "Your home was built in " + n + ", before " + decimal(*c.Before) + "."
	case c.Field == yearBuilt:
		return "Your home was built in " + n + "."
	case value == 1:
		return "Your home has 1 bathroom."
	default:
		return "Your home has " + n + " bathrooms."
	}
}

// question says what one would have to know of the home to tell whether c is met.
func (c condition) question(p profile) string {
	if c.Is != nil {
		return "We do not know yet whether your home has " + noun(c.Field) + "."
	}
	switch c.Field {
	case yearBuilt:
		return "We do not know yet when your home was built."
	case bathrooms:
		return "We do not know yet how many bathrooms your home has."
	case residenceType:
		return "It depends on what kind of home yours is."
	}
	if text, _ := p.text(c.Field); text != nil {
		return "It may apply, since your home's " + noun(c.Field) + ` is noted as "` + *text + `".`
	}
	return "We do not know yet what " + noun(c.Field) + " your home has."
}

// sentence says which homes c is about.
func (c condition) sentence() string {
	lead := "For homes "
	if c.Optional {
		lead = "Above all for homes "
	}
	switch {
	case c.Is != nil && *c.Is:
		return lead + "with " + noun(c.Field) + "."
	case c.Is != nil:
		return lead + "without " + noun(c.Field) + "."
	case c.Field == yearBuilt:
		return lead + "built " + c.span("from", "on") + "."
	case c.Field == bathrooms:
		return lead + "with " + c.span("at least", "") + " bathrooms."
	case c.Field == residenceType && len(c.Any) > 0:
		return lead + "of the kind " + either(c.Any) + "."
	case c.Field == residenceType:
		return lead + "of any kind but " + either(c.None) + "."
	default:
		return lead + "whose " + noun(c.Field) + " is " + either(c.Any) + "."
	}
}

// span says the numbers that meet c.
func (c condition) span(from, on string) string {
	var parts []string
	if c.From != nil {
		parts = append(parts, strings.TrimSpace(from+" "+decimal(*c.From)+" "+on))
	}
	if c.Before != nil {
		parts = append(parts, "before "+decimal(*c.Before))
	}
	return strings.Join(parts, " and ")
}

// either joins words as a choice: a, b or c.
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func article(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

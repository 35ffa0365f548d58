package main

import (
	"slices"
	"strings"
	"unicode"
)

// A condition is one thing about a home that speaks for a template. It looks at a yes or no (Is), at a number (From, Before)
// or at words (Any, None).
type condition struct {
	Field    string   `json:"field"`
	Is       *bool    `json:"is"`
	From     *float64 `json:"from"`     // the least that meets it
	Before   *float64 `json:"before"`   // the first that does not
	Any      []string `json:"any"`      // words of which one meets it
	None     []string `json:"none"`     // words that contradict it, unless one of Any is there too
	Weight   int      `json:"weight"`   // 1 to 3
	Optional bool     `json:"optional"` // helps where it is met, and does not hurt where it is not
}

// A verdict is what a profile says of a condition.
type verdict int

const (
	unknown verdict = iota
	met
	contradicted
)

// holds returns what p says of c.
func (c condition) holds(p profile) verdict {
	if c.Is != nil {
		if value, _ := p.flag(c.Field); value != nil {
			return decided(*value == *c.Is)
		}
		return unknown
	}
	if c.From != nil || c.Before != nil {
		if value, _ := p.number(c.Field); value != nil {
			return decided((c.From == nil || *value >= *c.From) && (c.Before == nil || *value < *c.Before))
		}
		return unknown
	}
	value, _ := p.text(c.Field)
	switch {
	case value == nil:
		return unknown
	case c.Field == residenceType:
		return c.kind(*value)
	default:
		return c.described(*value)
	}
}

// presumes returns whether c is about the kind of home, from which one can only presume what it has.
func (c condition) presumes() bool { return c.Field == residenceType && !c.Optional }

func decided(yes bool) verdict {
	if yes {
		return met
	}
	return contradicted
}

// kind judges the kind of home, which is one of a list. Of another kind nothing is known.
func (c condition) kind(value string) verdict {
	if value == "other" {
		return unknown
	}
	name := strings.ReplaceAll(value, "_", " ")
	if len(c.Any) > 0 {
		return decided(slices.Contains(c.Any, name))
	}
	return decided(!slices.Contains(c.None, name))
}

// described judges what somebody wrote. Words that c does not know say nothing, so that "Gasheizung" hides no template.
func (c condition) described(text string) verdict {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	denied := len(words) > 0 && (words[0] == "none" || words[0] == "nothing" || len(words) == 1 && words[0] == "no")
	for _, phrase := range c.Any {
		said, refused := mentions(words, phrase)
		if said {
			return met
		}
		denied = denied || refused
	}
	for _, phrase := range c.None {
		said, _ := mentions(words, phrase)
		denied = denied || said
	}
	if denied {
		return contradicted
	}
	return unknown
}

// mentions returns whether a phrase stands among words, in the singular or the plural: said if it stands there as it is,
// refused if it stands behind a word that takes it back, as in "no lawn" or "artificial lawn".
func mentions(words []string, phrase string) (said, refused bool) {
	wanted := strings.Fields(phrase)
	for at := range len(words) - len(wanted) + 1 {
		if !slices.EqualFunc(words[at:at+len(wanted)], wanted, sameWord) {
			continue
		}
		if at > 0 && slices.Contains([]string{"no", "not", "non", "without", "artificial", "fake", "faux", "synthetic"}, words[at-1]) {
			refused = true
		} else {
			said = true
		}
	}
	return said, refused
}

func sameWord(word, wanted string) bool {
	return word == wanted || word == wanted+"s" || word == wanted+"es"
}

// Package search finds what people typed in texts that people typed: every character means itself, in either case.
package search

import (
	"strings"
	"unicode/utf8"

	"github.com/honeydue/backend/shared/problem"
)

// Patterns returns the patterns of LIKE for what contains every word of the query parameter name. It refuses a text that
// PostgreSQL cannot hold.
func Patterns(name, text string) ([]string, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, problem.Invalid("query."+name, "expected text without NUL characters")
	}
	patterns := []string{}
	for word := range strings.FieldsSeq(text) {
		patterns = append(patterns, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(word)+"%")
	}
	return patterns, nil
}

// Match is SQL that says whether the texts, put together, fit all patterns that the expression gives; no patterns fit everything. In the
// database's own collation, which may be C, only the letters of ASCII have two cases.
func Match(expr string, texts ...string) string {
	return `concat_ws(' ', ` + strings.Join(texts, ", ") + `) ILIKE ALL (` + expr + `::text[] COLLATE "und-x-icu")`
}

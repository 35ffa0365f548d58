// Package search finds what people typed in texts that people typed: every character means itself, in either case.
package search

import (
	"strings"
	"unicode/utf8"

	"github.com/honeydue/backend/shared/problem"
)

// Pattern returns the pattern of LIKE for what contains the text of the query parameter name, and none for a blank text. It
// refuses a text that PostgreSQL cannot hold.
func Pattern(name, text string) (string, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", problem.Invalid("query."+name, "expected text without NUL characters")
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%", nil
}

// Like is the operand of ILIKE for the pattern that the SQL expression gives. In the database's own collation, which may be C,
// only the letters of ASCII have two cases.
func Like(expr string) string { return expr + `::text COLLATE "und-x-icu"` }

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A filter gathers the conditions of a statement, and what they bind.
type filter struct {
	conditions []string
	args       []any
}

// bind returns the place of a value in the statement.
func (f *filter) bind(value any) string {
	f.args = append(f.args, value)
	return "$" + strconv.Itoa(len(f.args))
}

func (f *filter) and(condition string) { f.conditions = append(f.conditions, condition) }

// where is the statement's WHERE.
func (f *filter) where() string { return " WHERE " + strings.Join(f.conditions, " AND ") }

// limit is how many entries a statement gives at most. It stands in the statement itself: a plan for any number would be one for many.
func (q query) limit() string { return strconv.Itoa(q.Limit) }

// state is the state that a list is narrowed to, which list.read found among its own. It stands in the statement itself, since how many
// there are of each differs.
func (q query) state() string { return "'" + q.State + "'" }

// below keeps to what a page of a list from the newest to the oldest shows.
func (f *filter) below(q query) { f.and("id < " + f.bind(q.below()) + "::bigint") }

// A haystack is a table that is searched, newest rows first.
type haystack struct {
	table   string
	columns string // what a row found has; id and those that text is made of are among them
	names   string // the same, as they are named
	text    string // in lower case, in the words of the indexes of its trigrams and of its characters
}

// near is through how many rows a search looks one after the other before it asks an index for all that fit.
const near = 4000

// What is found all over the place is found soon among the next rows; what is rare, an index finds soon. Which of both it is, PostgreSQL
// cannot estimate: a role that may not read all columns gets no statistics of expressions. So it is told to try one and then the other.
// OFFSET 0 keeps the index's rows from being looked for in the order of ids.
const seek = `
WITH edge AS (SELECT id FROM %[1]s%[2]s ORDER BY id DESC OFFSET %[3]d LIMIT 1),
close_by AS MATERIALIZED (
    SELECT %[4]s FROM (SELECT %[5]s FROM %[1]s%[2]s ORDER BY id DESC LIMIT %[3]d) w WHERE %[6]s ORDER BY id DESC LIMIT %[7]s
),
far_off AS (
    SELECT %[4]s FROM (SELECT %[5]s FROM %[1]s WHERE %[6]s OFFSET 0) f
    WHERE (SELECT count(*) FROM close_by) < %[7]s AND EXISTS (SELECT FROM edge) AND id < (SELECT id FROM edge)%[8]s ORDER BY id DESC LIMIT %[7]s
)
SELECT %[4]s FROM close_by UNION ALL SELECT %[4]s FROM far_off ORDER BY id DESC LIMIT %[7]s`

// search is the statement for the rows of h that hold every word that q looks for, and for what f keeps to of them; state is the condition
// that keeps to a state among the columns found, or empty.
func (f *filter) search(h haystack, q query, state string) string {
	where := f.where()
	if state != "" {
		state = " AND " + state
	}
	return fmt.Sprintf(seek, h.table, where, near, h.names, h.columns, f.words(h.text, q.Q), q.limit(), state)
}

// words is the condition that text holds every word, in either case. Trigrams find a word in the middle of another when three letters of it
// follow on each other. A word without is looked for where words begin, which have trigrams as well, and one of no letters at all by its
// characters. PostgreSQL folds both sides, for its collation may know of ASCII's letters alone; the sub-selects keep it from
// planning for the value.
func (f *filter) words(text, words string) string {
	var conditions []string
	for word := range strings.FieldsSeq(words) {
		switch letters, run := lettersOf(word); {
		case run >= trigram:
			conditions = append(conditions, text+" LIKE (SELECT lower("+f.bind("%"+literal(word)+"%")+"::text))")
		case letters > 0:
			conditions = append(conditions, text+" ~ (SELECT lower("+f.bind(`(^|[ .,@_+/()'-])`+regexp.QuoteMeta(word))+"::text))")
		default:
			// Put together with nothing, the text is not that of the trigrams' index, all of which would be read.
			conditions = append(conditions, text+" || '' LIKE (SELECT lower("+f.bind("%"+literal(word)+"%")+"::text))",
				"string_to_array("+text+", NULL) @> (SELECT string_to_array(lower("+f.bind(word)+"::text), NULL))")
		}
	}
	return strings.Join(conditions, " AND ")
}

const trigram = 3

// lettersOf returns how many of ASCII's letters and digits a word has, and how many at most follow on each other.
func lettersOf(word string) (letters, run int) {
	now := 0
	for _, c := range []byte(word) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			letters++
			now++
			run = max(run, now)
		} else {
			now = 0
		}
	}
	return letters, run
}

// literal is a pattern of LIKE for the text itself.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// containing is a pattern of LIKE for what holds the text, in lower case; empty for no text.
func containing(text string) string {
	if text == "" {
		return ""
	}
	return "%" + literal(strings.ToLower(text)) + "%"
}

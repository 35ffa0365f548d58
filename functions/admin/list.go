package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/problem"
)

// A cell is one value as pages and CSV files show it.
type cell struct {
	Text string
	Link string     // where it leads; empty for nowhere
	Tone string     // good, bad, muted or empty
	At   *time.Time // in the place of Text
}

// Value is the cell without its looks.
func (c cell) Value() string {
	if c.At != nil {
		return c.At.UTC().Format(time.RFC3339)
	}
	return c.Text
}

func text(value string) cell  { return cell{Text: value} }
func muted(value string) cell { return cell{Text: value, Tone: "muted"} }
func number[N ~int | ~int16 | ~int32 | ~int64](n N) cell {
	return cell{Text: strconv.FormatInt(int64(n), 10)}
}

// instant is a moment, or nothing.
func instant(at *time.Time) cell {
	if at == nil {
		return cell{}
	}
	return cell{At: at}
}

// linked leads to the page of one of a collection; nil to nowhere.
func linked(collection string, id *int64, label string) cell {
	if id == nil {
		return cell{}
	}
	return cell{Text: label, Link: "/" + subject(collection, *id) + "/"}
}

// A mark is where a page ends: at the entry that it names, of which Key comes first where a list is in the order of another column.
type mark struct {
	Key string `json:"k,omitempty"`
	ID  int64  `json:"i,omitempty"`
}

func (m mark) String() string {
	text, _ := json.Marshal(m) // a string and a number
	return base64.RawURLEncoding.EncodeToString(text)
}

// readMark reads what String wrote.
func readMark(cursor string) (*mark, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	var m mark
	if err != nil || json.Unmarshal(text, &m) != nil || !utf8.ValidString(m.Key) || strings.ContainsRune(m.Key, 0) {
		return nil, problem.Invalid("query.cursor", "expected the next_cursor of an earlier page")
	}
	return &m, nil
}

// A query is what of a list is asked for.
type query struct {
	Q     string // what is searched for, trimmed
	State string // empty for all
	Of    string // people, homes or tasks: whose entries; empty for everybody's
	OfID  int64
	After *mark // the page begins behind it; nil for the first
	Limit int
}

// of returns the id when the list is narrowed to one of collection, else 0.
func (q query) of(collection string) int64 {
	if q.Of == collection {
		return q.OfID
	}
	return 0
}

// A column is one of a list's page and of its CSV file.
type column[T any] struct {
	Title string
	Of    func(T) cell
}

// A list is shown as a page, a CSV file and a call of the API, which all ask Find.
type list[T any] struct {
	Name    string   // its path: /people/, and /api/admin/people/
	Title   string   // of the page
	About   string   // one sentence below the title and in the API's document
	Search  string   // in what q is looked for; empty for a list without search
	States  []string // by which it can be narrowed
	Of      []string // the collections by one of which it can be narrowed
	Columns []column[T]
	// Find returns at most q.Limit entries.
	Find func(ctx context.Context, q query) ([]T, error)
	Mark func(q query, entry T) mark
}

const (
	pageRows   = 50
	searchable = 100 // characters of q
)

// A table is what a page shows of a list.
type table struct {
	Titles []string
	Rows   [][]cell
	Next   string // the mark of the last row, when there are more
}

// labelled is a table and what it is of, for those who do not see it.
type labelled struct {
	table
	Label string
}

// A listing is a list whose entries' type does not matter.
type listing interface {
	name() string
	head() heading
	read(values map[string]string) (query, error)
	table(ctx context.Context, q query) (table, error)
	register(s *service, on huma.API)
}

// A heading is what a page says of a list.
type heading struct {
	Name, Title, About, Search string
	States, Of                 []string
}

func (l list[T]) name() string { return l.Name }

func (l list[T]) head() heading {
	return heading{l.Name, l.Title, l.About, l.Search, l.States, l.Of}
}

// read makes a query of the parameters of a page's or a call's address, by name.
func (l list[T]) read(values map[string]string) (query, error) {
	q := query{Limit: pageRows, State: values["state"], Q: strings.TrimSpace(values["q"])}
	switch {
	case q.Q != "" && l.Search == "":
		return q, problem.Invalid("query.q", "this list has no search")
	case !utf8.ValidString(q.Q) || strings.ContainsRune(q.Q, 0) || utf8.RuneCountInString(q.Q) > searchable:
		return q, problem.Invalid("query.q", "expected at most 100 characters of text")
	case q.State != "" && !slices.Contains(l.States, q.State):
		return q, problem.Invalid("query.state", "this list has no such state")
	}
	for _, collection := range []string{people, homes, tasks, operators} {
		value := values[collection]
		if value == "" {
			continue
		}
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil || id < 1 || q.Of != "" || !slices.Contains(l.Of, collection) {
			return q, problem.Invalid("query."+collection, "this list cannot be narrowed so")
		}
		q.Of, q.OfID = collection, id
	}
	if cursor := values["cursor"]; cursor != "" {
		after, err := readMark(cursor)
		if err != nil {
			return q, err
		}
		q.After = after
	}
	return q, nil
}

// find asks for one entry more than the page holds, which tells whether there are more.
func (l list[T]) find(ctx context.Context, q query) (entries []T, next string, err error) {
	limit := q.Limit
	q.Limit++
	if entries, err = l.Find(ctx, q); err != nil {
		return nil, "", err
	}
	if len(entries) > limit {
		entries = entries[:limit]
		next = l.Mark(q, entries[limit-1]).String()
	}
	return entries, next, nil
}

func (l list[T]) table(ctx context.Context, q query) (table, error) {
	entries, next, err := l.find(ctx, q)
	if err != nil {
		return table{}, err
	}
	t := tableOf(entries, l.Columns)
	t.Next = next
	return t, nil
}

// tableOf shows entries in columns.
func tableOf[T any](entries []T, columns []column[T]) table {
	t := table{Rows: make([][]cell, len(entries)), Titles: make([]string, len(columns))}
	for i, c := range columns {
		t.Titles[i] = c.Title
	}
	for i, e := range entries {
		t.Rows[i] = make([]cell, len(columns))
		for j, c := range columns {
			t.Rows[i][j] = c.Of(e)
		}
	}
	return t
}

// listInput takes all that any list can be narrowed by; the document of each names what it takes, and the rest is refused.
type listInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many entries at most" example:"50"`
	Cursor string `query:"cursor" maxLength:"4000" doc:"next_cursor of the page before" example:"eyJpIjo0MX0"`
	Q      string `query:"q" hidden:"true"`
	State  string `query:"state" hidden:"true"`
	People string `query:"people" hidden:"true"`
	Homes  string `query:"homes" hidden:"true"`
	Tasks  string `query:"tasks" hidden:"true"`
	Staff  string `query:"operators" hidden:"true"`
}

type listOutput[T any] struct{ Body page.List[T] }

// register adds the call of the API.
func (l list[T]) register(s *service, on huma.API) {
	op := huma.Operation{
		Method: http.MethodGet, Path: "/api/admin/" + l.Name + "/", OperationID: "admin-list-" + l.Name, Tags: []string{"Admin"},
		Summary: l.Title, Description: l.About,
	}
	parameter := func(name, about string, schema *huma.Schema) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Description: about, Schema: schema})
	}
	if l.Search != "" {
		parameter("q", "Looked for in "+l.Search, &huma.Schema{Type: huma.TypeString, MaxLength: new(searchable), Examples: []any{"ann"}})
	}
	if len(l.States) > 0 {
		schema := &huma.Schema{Type: huma.TypeString, Examples: []any{l.States[0]}}
		for _, state := range l.States {
			schema.Enum = append(schema.Enum, state)
		}
		parameter("state", "Only those in that state", schema)
	}
	for _, collection := range l.Of {
		parameter(collection, "Only those of the one with that id", &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(1.0), Examples: []any{7}})
	}
	api.Handle(s.group(on), op, func(ctx context.Context, in *listInput) (*listOutput[T], error) {
		q, err := l.read(map[string]string{"q": in.Q, "state": in.State, people: in.People, homes: in.Homes, tasks: in.Tasks, operators: in.Staff, "cursor": in.Cursor})
		if err != nil {
			return nil, err
		}
		q.Limit = in.Limit
		entries, next, err := l.find(ctx, q)
		if err != nil {
			return nil, err
		}
		out := &listOutput[T]{page.List[T]{Results: entries}}
		if out.Body.Results == nil {
			out.Body.Results = []T{}
		}
		if next != "" {
			out.Body.NextCursor = &next
		}
		return out, nil
	})
}

package main

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// docsPage is what the page about all calls shows.
type docsPage struct {
	Title, Base, Text string
	Groups            []group
	Types             []component
}

// A group is the calls with one tag.
type group struct {
	ID, Name, Text string
	Calls          []call
}

// A call is one method on one path.
type call struct {
	ID, Method, Path string
	Summary, Text    string
	SignedIn         bool
	Parameters       []field
	Body             []field
	BodyRequired     bool
	Answers          []answer
	Problems         []problemType
}

// An answer is one that the caller hoped for.
type answer struct {
	Status  int
	Text    string
	Type    *kind  // nil without a body
	Media   string // when it is not JSON
	Headers []string
}

// methods in the order in which a person reads about a thing.
func methods() []string { return []string{"get", "post", "put", "patch", "delete"} }

func newDocsPage(doc document) docsPage {
	page := docsPage{Title: doc.Info.Title, Text: doc.Info.Description}
	if len(doc.Servers) > 0 {
		page.Base = doc.Servers[0].URL
	}
	shown := mentions{doc: doc, names: map[string]bool{}}
	for _, tag := range doc.Tags {
		g := group{ID: anchor(tag.Name), Name: tag.Name, Text: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			for _, method := range methods() {
				op, ok := doc.Paths[path][method]
				if ok && slices.Contains(op.Tags, tag.Name) {
					g.Calls = append(g.Calls, newCall(doc, path, method, op))
					shown.add(op)
				}
			}
		}
		page.Groups = append(page.Groups, g)
	}
	page.Types = componentsOf(doc, slices.Sorted(maps.Keys(shown.names))...)
	return page
}

func newCall(doc document, path, method string, op operation) call {
	c := call{
		ID: op.OperationID, Method: strings.ToUpper(method), Path: path, Summary: op.Summary, Text: op.Description,
		SignedIn: len(op.Security) > 0,
	}
	for _, p := range op.Parameters {
		f := newField(p.Name, p.Schema, p.Required)
		f.Text = cmp.Or(p.Description, f.Text)
		f.Limits = append([]string{p.In}, f.Limits...)
		if p.Example != nil {
			f.Example = inJSON(p.Example)
		}
		c.Parameters = append(c.Parameters, f)
	}
	if op.RequestBody != nil {
		c.Body, c.BodyRequired = fieldsOf(doc.bodyOf(op)), op.RequestBody.Required
	}
	for _, code := range slices.Sorted(maps.Keys(op.Responses)) {
		status, err := strconv.Atoi(code)
		switch {
		case err != nil:
		case status < http.StatusBadRequest:
			c.Answers = append(c.Answers, newAnswer(status, op.Responses[code]))
		default:
			c.Problems = append(c.Problems, typeOf(status))
		}
	}
	return c
}

func newAnswer(status int, r response) answer {
	a := answer{Status: status, Text: cmp.Or(r.Description, http.StatusText(status))}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if name != "Content-Type" { // OpenAPI says that it means nothing there
			a.Headers = append(a.Headers, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Content)) {
		k := kindOf(r.Content[name].Schema)
		a.Type = &k
		if name != "application/json" {
			a.Media = name
		}
	}
	return a
}

// anchor makes a fragment of a heading.
func anchor(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

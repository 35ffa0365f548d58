package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"sync"
)

// merged is the OpenAPI document of all functions. TestMergedOpenAPI writes it.
//
//go:embed merged.json
var merged []byte

//go:embed templates
var templates embed.FS

// docs are the API's documents. Each file is made when it is first asked for: whoever wakes the function for one of them
// does not wait for the others.
type docs struct {
	openapi, calls, problems, style func() (file, error)
}

// newDocs returns the documents. Nothing in them depends on a request.
func newDocs() docs {
	doc := sync.OnceValues(func() (document, error) {
		var doc document
		if err := json.Unmarshal(merged, &doc); err != nil {
			return doc, fmt.Errorf("read document: %w", err)
		}
		return doc, nil
	})
	pages := sync.OnceValues(func() (*template.Template, error) { return template.ParseFS(templates, "templates/*.html") })
	page := func(name string, data func(document) any) func() (file, error) {
		return sync.OnceValues(func() (file, error) {
			doc, err := doc()
			if err != nil {
				return file{}, err
			}
			set, err := pages()
			if err != nil {
				return file{}, fmt.Errorf("read templates: %w", err)
			}
			var html bytes.Buffer
			if err := set.ExecuteTemplate(&html, name, data(doc)); err != nil {
				return file{}, fmt.Errorf("render %s: %w", name, err)
			}
			return newFile(name, "text/html; charset=utf-8", html.Bytes())
		})
	}
	return docs{
		openapi:  sync.OnceValues(func() (file, error) { return newFile("openapi.json", "application/json", merged) }),
		calls:    page("docs.html", func(d document) any { return newDocsPage(d) }),
		problems: page("problems.html", func(d document) any { return newProblemsPage(d) }),
		style: sync.OnceValues(func() (file, error) {
			style, err := templates.ReadFile("templates/style.css")
			if err != nil {
				return file{}, fmt.Errorf("read style: %w", err)
			}
			return newFile("docs.css", "text/css; charset=utf-8", style)
		}),
	}
}

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

// A site is everything that is served from memory. Each file is made when it is first asked for: whoever wakes the
// function for one of them does not wait for the others.
type site struct {
	home, openapi, docs, problems, style func() (file, error)
}

// newSite returns the site. Nothing in it depends on a request.
func newSite() site {
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
			return newFile("text/html; charset=utf-8", html.Bytes()), nil
		})
	}
	return site{
		home:     page("home.html", func(document) any { return nil }),
		openapi:  sync.OnceValues(func() (file, error) { return newFile("application/json", merged), nil }),
		docs:     page("docs.html", func(d document) any { return newDocsPage(d) }),
		problems: page("problems.html", func(d document) any { return newProblemsPage(d) }),
		style: sync.OnceValues(func() (file, error) {
			style, err := templates.ReadFile("templates/style.css")
			if err != nil {
				return file{}, fmt.Errorf("read style: %w", err)
			}
			return newFile("text/css; charset=utf-8", style), nil
		}),
	}
}

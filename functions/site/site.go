package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
)

// merged is the OpenAPI document of all functions. TestMergedOpenAPI writes it.
//
//go:embed merged.json
var merged []byte

//go:embed templates
var templates embed.FS

// A site is everything that is served from memory.
type site struct {
	home, openapi, docs, problems, style file
}

// renderSite makes the pages from the document. Nothing in it depends on a request.
func renderSite() (site, error) {
	var doc document
	if err := json.Unmarshal(merged, &doc); err != nil {
		return site{}, fmt.Errorf("read document: %w", err)
	}
	style, err := templates.ReadFile("templates/style.css")
	if err != nil {
		return site{}, fmt.Errorf("read style: %w", err)
	}
	set, err := template.ParseFS(templates, "templates/*.html")
	if err != nil {
		return site{}, fmt.Errorf("read templates: %w", err)
	}
	home, err := render(set, "home.html", nil)
	if err != nil {
		return site{}, err
	}
	docs, err := render(set, "docs.html", newDocsPage(doc))
	if err != nil {
		return site{}, err
	}
	problems, err := render(set, "problems.html", newProblemsPage(doc))
	if err != nil {
		return site{}, err
	}
	return site{
		home: home, openapi: newFile("application/json", merged), docs: docs, problems: problems,
		style: newFile("text/css; charset=utf-8", style),
	}, nil
}

func render(set *template.Template, name string, page any) (file, error) {
	var html bytes.Buffer
	if err := set.ExecuteTemplate(&html, name, page); err != nil {
		return file{}, fmt.Errorf("render %s: %w", name, err)
	}
	return newFile("text/html; charset=utf-8", html.Bytes()), nil
}

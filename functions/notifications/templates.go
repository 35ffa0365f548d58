package main

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	"sync"
	texttemplate "text/template"
)

//go:embed templates
var templateFiles embed.FS

// kinds of mails. Each has a text template, which defines subject, preheader and body, and an HTML one, which defines body.
var kinds = [...]string{
	typeVerification, "change_email", typePasswordReset, "password_changed", "email_changed", typeJoined, typeAssigned, typeCompleted,
	typeDueSoon, typeOverdue, typeWarranty, typeDigest,
}

// templates are read when the first mail of their kind is written: a process that was started for one event waits for no others.
type templates map[string]func() (kindTemplates, error)

type kindTemplates struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

func openTemplates() templates {
	open := templates{}
	for _, kind := range kinds {
		open[kind] = sync.OnceValues(func() (kindTemplates, error) { return parse(kind) })
	}
	return open
}

func parse(kind string) (kindTemplates, error) {
	text, err := texttemplate.ParseFS(templateFiles, "templates/layout.txt", "templates/"+kind+".txt")
	if err != nil {
		return kindTemplates{}, fmt.Errorf("templates of %s: %w", kind, err)
	}
	html, err := htmltemplate.ParseFS(templateFiles, "templates/layout.html", "templates/"+kind+".html")
	if err != nil {
		return kindTemplates{}, fmt.Errorf("templates of %s: %w", kind, err)
	}
	return kindTemplates{text, html}, nil
}

// written is a mail's words.
type written struct{ subject, text, html string }

func (t templates) write(kind string, v view) (written, error) {
	open, ok := t[kind]
	if !ok {
		return written{}, fmt.Errorf("no template for %s", kind)
	}
	of, err := open()
	if err != nil {
		return written{}, err
	}
	var w written
	var preheader string
	parts := []struct {
		into *string
		name string
	}{{&w.subject, "subject"}, {&preheader, "preheader"}, {&w.text, "layout.txt"}}
	for _, p := range parts {
		if err := render(p.into, p.name, v, of.text.ExecuteTemplate); err != nil {
			return written{}, err
		}
	}
	page := struct {
		view
		Subject, Preheader string
	}{v, w.subject, preheader}
	if err := render(&w.html, "layout.html", page, of.html.ExecuteTemplate); err != nil {
		return written{}, err
	}
	w.html = strings.TrimSpace(w.html) + "\n"
	return w, nil
}

func render(into *string, name string, data any, execute func(io.Writer, string, any) error) error {
	var out strings.Builder
	if err := execute(&out, name, data); err != nil {
		return err
	}
	*into = out.String()
	return nil
}

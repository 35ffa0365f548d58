package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	_ "embed"

	"github.com/honeydue/backend/tests/bench/report"
)

//go:embed page.md.tmpl
var pageText string

// verdicts are the words in which a table says whether a target was met.
var verdicts = regexp.MustCompile(`(?m)\b(met|MISSED)\b`)

// A page is all outcomes. Its sections have those that there are, and names of benchmarks that were never run are apart.
type page struct {
	Machines []string // each with its programs, as one line
	Goals    []report.Goal
	Sections []section
	Never    []string
}

// A section is a benchmark on the page.
type section struct {
	outcome

	Title, Command     string
	Reached, Unreached int
	Plots              []string
}

// Text is what the benchmark printed.
func (s section) Text() string { return strings.Join(s.Lines, "\n") }

// write writes the page and its plots into the folder docs, from the outcomes kept in its folder performance.
func write(docs string, all []part) error {
	folder := filepath.Join(docs, "performance")
	var made page
	for _, p := range all {
		o, err := kept(folder, p.name)
		if err != nil {
			return err
		}
		if o == nil {
			made.Never = append(made.Never, p.name)
			continue
		}
		s, err := newSection(folder, p, *o)
		if err != nil {
			return err
		}
		made.Sections = append(made.Sections, s)
		if on := strings.Join(o.Machine, "; "); !slices.Contains(made.Machines, on) {
			made.Machines = append(made.Machines, on)
		}
		for _, r := range o.Records {
			if r.Goal != nil {
				made.Goals = append(made.Goals, *r.Goal)
			}
		}
	}
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("read template: %w", err)
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, made); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	if err := os.WriteFile(filepath.Join(docs, "performance.md"), text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// newSection draws an outcome's plots into folder, and counts its targets.
func newSection(folder string, p part, o outcome) (section, error) {
	s := section{outcome: o, Title: p.title, Command: strings.Join(p.command, " ")}
	plots, err := draw(folder, o.Records)
	if err != nil {
		return s, err
	}
	s.Plots = plots
	for _, word := range verdicts.FindAllString(s.Text(), -1) {
		if word == "met" {
			s.Reached++
		} else {
			s.Unreached++
		}
	}
	return s, nil
}

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/honeydue/backend/shared/api"
)

//go:embed templates/*.html
var templates embed.FS

// What pages load. htmx.min.js is release 2.0.11 as published; htmx.LICENSE is its licence.
//
//go:embed static/panel.css static/htmx.min.js static/icon.svg
var static embed.FS

// policy lets a page load the files of this host and ask it, and nothing else; nothing in a page itself is run.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pages are made when the first of them is asked for: whoever asks for something else does not wait for them.
type pages struct {
	once      sync.Once
	templates *template.Template
	assets    map[string]asset // by path
	paths     map[string]string
	err       error
}

// An asset is a file that never changes under its path.
type asset struct {
	contentType  string
	body, zipped []byte
}

func (p *pages) open() error {
	p.once.Do(func() {
		if p.assets, p.paths, p.err = readAssets(); p.err != nil {
			return
		}
		p.templates, p.err = template.New("").Funcs(template.FuncMap{
			"asset": func(name string) string { return p.paths[name] },
			"time":  func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") },
			"iso":   func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		}).ParseFS(templates, "templates/*.html")
	})
	return p.err
}

func readAssets() (map[string]asset, map[string]string, error) {
	files, err := static.ReadDir("static")
	if err != nil {
		return nil, nil, fmt.Errorf("list assets: %w", err)
	}
	assets, paths := map[string]asset{}, map[string]string{}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for _, f := range files {
		body, err := static.ReadFile("static/" + f.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("read asset: %w", err)
		}
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		_, _ = w.Write(body) // a buffer takes everything
		_ = w.Close()
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		at := "/assets/" + strings.TrimSuffix(f.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		assets[at] = asset{types[ext], body, zipped.Bytes()}
		paths[f.Name()] = at
	}
	return assets, paths, nil
}

// showAsset serves a file under the path that its content gives it.
func (s *service) showAsset(w http.ResponseWriter, r *http.Request) {
	if err := s.pages.open(); err != nil {
		s.fail(w, r, err)
		return
	}
	found, ok := s.pages.assets[r.URL.Path]
	if !ok {
		s.showMissing(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := found.body
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = found.zipped
	}
	_, _ = w.Write(body) // a browser that has left needs none
}

// A frame is what every page is in.
type frame struct {
	Title    string
	Me       *operator // nil when nobody is signed in
	Nav      []link
	Template string // of its middle
	Data     any
}

type link struct {
	Label, Path string
	Current     bool
}

// show answers with a page.
func (s *service) show(w http.ResponseWriter, r *http.Request, status int, f frame) {
	if err := s.pages.open(); err != nil {
		s.fail(w, r, err)
		return
	}
	if me := operatorOf(r.Context()); me.ID > 0 {
		f.Me, f.Nav = &me, s.nav(r.URL.Path)
	}
	var middle, whole bytes.Buffer
	if err := s.pages.templates.ExecuteTemplate(&middle, f.Template, f); err != nil {
		s.fail(w, r, fmt.Errorf("render %s: %w", f.Template, err))
		return
	}
	f.Data = template.HTML(middle.String()) //nolint:gosec // it was escaped as it was rendered
	if err := s.pages.templates.ExecuteTemplate(&whole, "layout.html", f); err != nil {
		s.fail(w, r, fmt.Errorf("render page: %w", err))
		return
	}
	guard(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write(whole.Bytes()) // a browser that has left needs none
}

// guard sets the headers of every page.
func guard(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

func (s *service) nav(at string) []link {
	nav := []link{{Label: "Overview", Path: "/", Current: at == "/"}}
	for _, r := range s.resources {
		head := r.listing.head()
		at, in := strings.CutPrefix(at, "/"+head.Name+"/")
		nav = append(nav, link{head.Title, "/" + head.Name + "/", in && at == ""})
	}
	return nav
}

// refusal is what the page of a refusal says.
type refusal struct {
	Status        int
	Title, Detail string
}

// fail answers with the page of what is wrong.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := api.Problem(r.Context(), err)
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	if s.pages.open() != nil { // what is broken is the pages themselves
		api.Write(w, p)
		return
	}
	detail := p.Detail
	if len(p.Errors) > 0 {
		detail = strings.TrimPrefix(strings.TrimPrefix(p.Errors[0].Location, "query."), "body.") + ": " + p.Errors[0].Message
	}
	s.show(w, r, p.Status, frame{Title: p.Title, Template: "refused.html", Data: refusal{p.Status, p.Title, detail}})
}

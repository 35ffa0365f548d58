package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/problem"
)

//go:embed pages/*.html
var pageTemplates embed.FS

// publicPolicy lets a page load style, font and pictures of the site, and nothing else; no script at all.
const publicPolicy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// A page is one of the bare domain's.
type page struct {
	Path, Name  string // Name is that of its template, without an ending
	Title       string
	Description string // what search engines and link previews show
}

// pages are those that search engines may find, in the order of the sitemap.
func pages() []page {
	return []page{
		{"/", "home", "honeyDue: your home, looked after", "Know what your home needs and when. honeyDue plans the upkeep, shares it with the people you live with, and keeps photos, papers and receipts together."},
		{"/support/", "support", "Support · honeyDue", "Help with honeyDue: signing in, sharing a home, reminders, photos, and how to write to us."},
		{"/privacy/", "privacy", "Privacy · honeyDue", "What honeyDue stores about you, what for, how long, who can see it, and how you get or delete it."},
		{"/terms/", "terms", "Terms · honeyDue", "What you may expect of honeyDue, and what we expect of you."},
		{"/delete-account/", "delete-account", "Delete your account · honeyDue", "How to delete your honeyDue account, in the app or by mail, what goes with it and what stays."},
	}
}

// public is the bare domain's site. Whatever it serves is made when it is first asked for.
type public struct {
	settings settings
	assets   func() (assets, error)
	set      func() (*template.Template, error)
	missing  func() (file, error)
}

func newPublic(s settings) *public {
	p := &public{settings: s, assets: sync.OnceValues(newAssets)}
	p.set = sync.OnceValues(func() (*template.Template, error) {
		all, err := p.assets()
		if err != nil {
			return nil, err
		}
		return template.New("").Funcs(template.FuncMap{"asset": all.path}).ParseFS(pageTemplates, "pages/*.html")
	})
	p.missing = p.rendered(page{Name: "missing", Title: "Not found · honeyDue", Description: "There is no such page."})
	return p
}

// routes lists what the bare domain has beside the API's documents.
func (p *public) routes(on huma.API) {
	get := func(pattern string, handler http.HandlerFunc) { api.Page(on, http.MethodGet, pattern, handler) }
	for _, page := range pages() {
		get(page.Path, serve(p.rendered(page)))
	}
	get("/assets/{file}", p.showAsset)
	get("/favicon.ico", serve(sync.OnceValues(newFavicon)))
	get("/robots.txt", serve(sync.OnceValues(p.robots)))
	get("/sitemap.xml", serve(sync.OnceValues(p.sitemap)))
	// The router sees every path but a file's with a last slash.
	get("/.well-known/apple-app-site-association/", p.appLinks("apple-app-site-association.json", p.settings.appleAppSiteAssociation()))
	get("/.well-known/assetlinks.json", p.appLinks("assetlinks.json", p.settings.assetLinks()))
	get("/*", p.showNothing)
}

// A view is what a page's template sees.
type view struct {
	page
	settings
	Pages []page
}

// Address is where the world finds the path.
func (v view) Address(path string) string { return v.PublicURL + path }

// rendered returns the page as a file.
func (p *public) rendered(shown page) func() (file, error) {
	return sync.OnceValues(func() (file, error) {
		set, err := p.set()
		if err != nil {
			return file{}, fmt.Errorf("read pages: %w", err)
		}
		var html bytes.Buffer
		if err := set.ExecuteTemplate(&html, shown.Name+".html", view{shown, p.settings, pages()}); err != nil {
			return file{}, fmt.Errorf("render %s: %w", shown.Name, err)
		}
		f, err := newFile(shown.Name+".html", "text/html; charset=utf-8", html.Bytes())
		f.policy = publicPolicy
		return f, err
	})
}

// showNothing answers for a path that leads nowhere: with a page, but in the API's part with its problem.
func (p *public) showNothing(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		api.Write(w, problem.NotFound())
		return
	}
	f, err := p.missing()
	if err != nil {
		api.Write(w, api.Problem(r.Context(), err))
		return
	}
	f.cacheControl = "no-store"
	f.serve(w, r, http.StatusNotFound)
}

// serve answers with one file.
func serve(made func() (file, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := made()
		if err != nil {
			api.Write(w, api.Problem(r.Context(), err))
			return
		}
		f.serve(w, r, http.StatusOK)
	}
}

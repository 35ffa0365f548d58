package local

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// A gateway sends each path where the manifests' rules send it. A function with a public host of its own has
// <name>.localhost here, which browsers take to this machine.
type gateway struct {
	local  http.Handler            // what begins with /_local/
	hosts  map[string]http.Handler // by host, without a port
	routes []route                 // longest path first
}

type route struct {
	path    string // without a last slash
	handler http.Handler
}

func newGateway(local http.Handler, functions []*function) *gateway {
	g := &gateway{local: local, hosts: map[string]http.Handler{}}
	for _, f := range functions {
		handler := f.handler()
		if len(f.Hosts) > 0 {
			g.hosts[f.Name+".localhost"] = handler
		}
		for _, path := range f.Paths {
			g.routes = append(g.routes, route{path, handler})
		}
	}
	slices.SortStableFunc(g.routes, func(a, b route) int { return cmp.Compare(len(b.path), len(a.path)) })
	return g
}

// ServeHTTP answers 404 for a path that no function has, but for the root, which leads to the page.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	if handler, ok := g.hosts[strings.ToLower(host)]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/_local/") {
		g.local.ServeHTTP(w, r)
		return
	}
	for _, route := range g.routes {
		if rest, ok := strings.CutPrefix(r.URL.Path, route.path); ok && (rest == "" || rest[0] == '/') {
			route.handler.ServeHTTP(w, r)
			return
		}
	}
	if r.URL.Path == "/" || r.URL.Path == "/_local" {
		http.Redirect(w, r, "/_local/", http.StatusFound)
		return
	}
	problem(w, http.StatusNotFound, "No function has this path.")
}

// problem answers with an RFC 9457 problem document.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

package main

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/honeydue/backend/shared/api"
)

// TestPictures draws the PNGs. The font's licence lies beside it.
//
//go:embed assets/*.css assets/*.woff2 assets/*.svg assets/*.png
var assetFiles embed.FS

// assets are what pages load, each under a name that changes with its content.
type assets struct {
	files  map[string]file   // by hashed name
	newest map[string]string // hashed names by name
}

// newAssets returns all of them. The style sheet names the font by its plain name and comes last, when that is known.
func newAssets() (assets, error) {
	a := assets{files: map[string]file{}, newest: map[string]string{}}
	for _, name := range []string{"figtree.woff2", "icon.svg", "icon-32.png", "icon-180.png", "card.png", "site.css"} {
		body, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			return assets{}, fmt.Errorf("read asset: %w", err)
		}
		if name == "site.css" {
			body = []byte(strings.ReplaceAll(string(body), "figtree.woff2", a.newest["figtree.woff2"]))
		}
		f, err := newFile(name, typeOfAsset(name), body)
		if err != nil {
			return assets{}, err
		}
		f.cacheControl, f.policy = forever, "default-src 'none'"
		a.newest[name], a.files[f.name] = f.name, f
	}
	return a, nil
}

// path returns where the asset of that name is found.
func (a assets) path(name string) (string, error) {
	if a.newest[name] == "" {
		return "", fmt.Errorf("no asset is called %s", name)
	}
	return "/assets/" + a.newest[name], nil
}

func typeOfAsset(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	default:
		return "image/png"
	}
}

// showAsset answers for /assets/. A page outlives its release by some minutes in caches: what it loads by then is the newest
// asset of that name, which nobody may keep under the old one.
func (p *public) showAsset(w http.ResponseWriter, r *http.Request) {
	all, err := p.assets()
	if err != nil {
		api.Write(w, api.Problem(r.Context(), err))
		return
	}
	asked := chi.URLParam(r, "file")
	f, ok := all.files[asked]
	if !ok {
		f, ok = all.files[all.newest[unhashed(asked)]]
		f.cacheControl = "no-store"
	}
	if !ok {
		p.showNothing(w, r)
		return
	}
	f.serve(w, r, http.StatusOK)
}

// unhashed undoes [hashed] for the name of any release.
func unhashed(name string) string {
	ending := path.Ext(name)
	stem := strings.TrimSuffix(name, ending)
	return strings.TrimSuffix(stem, path.Ext(stem)) + ending
}

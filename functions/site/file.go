package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// A file is something that is the same for everyone until the next release.
type file struct {
	name         string // with a part of its hash
	contentType  string
	cacheControl string
	policy       string // a Content-Security-Policy
	forms        []form // the smallest first; as it is comes last
}

// A form is one way in which a file travels.
type form struct {
	coding string // br or gzip; empty for the file as it is
	etag   string
	body   []byte
}

// Time that caches keep a file: what keeps its address, and what changes its address with every change.
const (
	briefly = "public, max-age=300"
	forever = "public, max-age=31536000, immutable"
)

// newFile returns a file with the forms that were packed for exactly this body. The name is one of a kind among files.
func newFile(name, contentType string, body []byte) (file, error) {
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:16])
	f := file{name: hashed(name, body), contentType: contentType, cacheControl: briefly, policy: policy}
	packed, err := packedForms(f.name, contentType, body)
	if err != nil {
		return file{}, err
	}
	for _, p := range packed {
		f.forms = append(f.forms, form{p.coding, `"` + tag + "-" + p.coding + `"`, p.body})
	}
	f.forms = append(f.forms, form{"", `"` + tag + `"`, body})
	return f, nil
}

// hashed returns name with a part of the body's SHA-256 before its ending.
func hashed(name string, body []byte) string {
	sum := sha256.Sum256(body)
	ending := path.Ext(name)
	return strings.TrimSuffix(name, ending) + "." + hex.EncodeToString(sum[:5]) + ending
}

// policy lets a page load its style sheet and show an icon that it carries itself; nothing else, from nowhere else.
const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serve sends the form that the caller takes, or says that the caller's copy is still good.
func (f file) serve(w http.ResponseWriter, r *http.Request, status int) {
	sent := f.form(strings.Join(r.Header.Values("Accept-Encoding"), ","))
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", f.cacheControl)
	h.Set("Content-Security-Policy", f.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("ETag", sent.etag)
	if len(f.forms) > 1 {
		h.Set("Vary", "Accept-Encoding")
	}
	if status == http.StatusOK && sent.matches(strings.Join(r.Header.Values("If-None-Match"), ",")) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if sent.coding != "" {
		h.Set("Content-Encoding", sent.coding)
	}
	h.Set("Content-Length", strconv.Itoa(len(sent.body)))
	w.WriteHeader(status)
	_, _ = w.Write(sent.body)
}

// matches compares weakly, as RFC 9110 section 13.1.2 asks for If-None-Match.
func (f form) matches(ifNoneMatch string) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == f.etag {
			return true
		}
	}
	return false
}

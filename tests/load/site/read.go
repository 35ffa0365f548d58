package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// A site is what function site serves, as it was before the load.
type site struct {
	host  http.Header // of the bare domain
	phone *story.Phone

	pages, assets, documents, machines []*file
	appLinks                           []link
}

// A file and its forms, by what the caller accepts.
type file struct {
	path   string
	public bool // on the bare domain
	forms  map[string]form
}

// A form is how a file travels.
type form struct {
	coding, etag string
	body         []byte
}

// A link is a document for phones, and how it is answered.
type link struct {
	path   string
	status int
}

// check compares an answer to what was there before.
func (f form) check(header http.Header, body []byte) error {
	length := header.Get("Content-Length") // none while an answer comes in chunks, as one that the API's router writes
	switch {
	case header.Get("Content-Encoding") != f.coding:
		return errors.New("the file comes in another coding")
	case header.Get("ETag") != f.etag:
		return errors.New("the file has another tag")
	case length != "" && length != strconv.Itoa(len(f.body)):
		return errors.New("the file's length is another")
	case !bytes.Equal(body, f.body):
		return errors.New("the file has changed")
	}
	return nil
}

// header is that of a call, to the bare domain or to the API, by who takes such encodings.
func (s *site) header(public bool, accepts string) http.Header {
	header := http.Header{"Accept-Encoding": {accepts}}
	if public {
		header["Host"] = s.host["Host"]
	}
	return header
}

var asset = regexp.MustCompile(`/assets/[^"]+`)

// read reads everything that the load asks for, in all its forms.
func read(ctx context.Context, at *load.Site) (_ *site, err error) {
	s := &site{host: at.Host("site"), phone: at.Phone()}
	if s.pages, err = s.files(ctx, true, "/", "/support/", "/privacy/", "/terms/", "/delete-account/"); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, page := range s.pages {
		for _, path := range asset.FindAllString(string(page.forms[crawler].body), -1) {
			seen[path] = true
		}
	}
	for path := range seen {
		found, err := s.files(ctx, true, path)
		if err != nil {
			return nil, err
		}
		s.assets = append(s.assets, found...)
	}
	if len(s.assets) == 0 {
		return nil, errors.New("the pages load nothing")
	}
	if s.documents, err = s.files(ctx, false, "/api/openapi.json", "/api/docs/", "/api/docs/problems/", "/api/docs/style.css"); err != nil {
		return nil, err
	}
	if s.machines, err = s.files(ctx, true, "/robots.txt", "/sitemap.xml", "/favicon.ico"); err != nil {
		return nil, err
	}
	for _, path := range []string{"/.well-known/apple-app-site-association", "/.well-known/assetlinks.json"} {
		status, _, err := s.ask(ctx, true, path, crawler)
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK && status != http.StatusNotFound {
			return nil, fmt.Errorf("%s: answered %d", path, status)
		}
		s.appLinks = append(s.appLinks, link{path, status})
	}
	return s, nil
}

func (s *site) files(ctx context.Context, public bool, paths ...string) ([]*file, error) {
	files := make([]*file, len(paths))
	for i, path := range paths {
		files[i] = &file{path, public, map[string]form{}}
		for _, accepts := range []string{crawler, phone, browser} {
			status, found, err := s.ask(ctx, public, path, accepts)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("answered %d", status)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			files[i].forms[accepts] = found
		}
		if err := files[i].agree(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return files, nil
}

// agree holds the forms against each other: what is gzip is the same file, and what a browser gets is no longer than that.
func (f *file) agree() error {
	plain, zipped, best := f.forms[crawler], f.forms[phone], f.forms[browser]
	switch {
	case plain.coding != "":
		return errors.New("comes compressed to whoever accepts none of that")
	case zipped.coding == "gzip":
		unzipped, err := gzip.NewReader(bytes.NewReader(zipped.body))
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		body, err := io.ReadAll(unzipped)
		return load.Wrong(err, !bytes.Equal(body, plain.body) || len(best.body) > len(zipped.body), "its forms are not the same file, the smallest to browsers")
	case zipped.coding != "" || best.coding != "" || !bytes.Equal(plain.body, best.body):
		return errors.New("comes in a coding that was not accepted, or that not everybody gets")
	}
	return nil
}

func (s *site) ask(ctx context.Context, public bool, path, accepts string) (status int, _ form, _ error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.phone.URL+path, http.NoBody)
	if err != nil {
		return 0, form{}, fmt.Errorf("make request: %w", err)
	}
	req.Header = s.header(public, accepts)
	req.Header.Set("X-Forwarded-For", s.phone.Address)
	req.Host = req.Header.Get("Host")
	answer, err := load.Fetch(s.phone.Client, req)
	if err != nil {
		return 0, form{}, fmt.Errorf("ask: %w", err)
	}
	return answer.Status, form{coding: answer.Header.Get("Content-Encoding"), etag: answer.Header.Get("ETag"), body: answer.Body}, nil
}

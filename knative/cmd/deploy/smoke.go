package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	smokeTimeout = 90 * time.Second // routes reach the ingress a little after the cluster has them
	askTimeout   = 15 * time.Second // the longest cold start by far
	apiPath      = "/api/"
	healthPath   = "/api/health/"
	docsPath     = "/api/docs/" // the one page among the calls
)

var (
	hostRule = regexp.MustCompile("Host\\(`([^`]+)`\\)")
	pathRule = regexp.MustCompile("(!?)(?:PathPrefix|Path)\\(`([^`]+)`\\)")
)

// An entry is a public path of a function.
type entry struct{ host, path string }

// entriesOf returns the public paths of a function, those of each of its routes' rules once, with a last slash.
func entriesOf(objects []*object, function string) ([]entry, error) {
	var all []entry
	for _, o := range labelled(objects, function) {
		if o.GetKind() != "IngressRoute" {
			continue
		}
		var spec struct{ Routes []struct{ Match string } }
		if err := into(o, &spec, "spec"); err != nil {
			return nil, err
		}
		for _, route := range spec.Routes {
			host := hostRule.FindStringSubmatch(route.Match)
			if host == nil {
				return nil, fmt.Errorf("IngressRoute %s: rule %q names no host", o.GetName(), route.Match)
			}
			path := "/"
			for _, found := range pathRule.FindAllStringSubmatch(route.Match, -1) {
				if found[1] == "" {
					path = strings.TrimSuffix(found[2], "/") + "/"
					break
				}
			}
			all = append(all, entry{host[1], path})
		}
	}
	return all, nil
}

// smoke asks every public path through the ingress until the function answers.
func (r *rollout) smoke(ctx context.Context, functions []*object) error {
	ctx, cancel := context.WithTimeout(ctx, smokeTimeout)
	defer cancel()
	for _, f := range functions {
		entries, err := entriesOf(r.rendered, f.GetName())
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := r.ask(ctx, e); err != nil {
				return fmt.Errorf("smoke test of %s: %w; look at its IngressRoute and at the log of Traefik, or go back with make rollback FN=%s", f.GetName(), err, f.GetName())
			}
		}
		if len(entries) > 0 {
			r.say("%s answers on %d public paths", f.GetName(), len(entries))
		}
	}
	return nil
}

// ask repeats a GET until its answer is the function's.
func (r *rollout) ask(ctx context.Context, e entry) error {
	base := r.ingress
	if base == "" {
		base = "https://" + e.host
	}
	address, err := url.JoinPath(base, e.path)
	if err != nil {
		return fmt.Errorf("INGRESS is not an address such as http://127.0.0.1:8000: %w", err)
	}
	client := &http.Client{
		Timeout: askTimeout,
		// The certificate is the host's, whatever address leads to it.
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: e.host, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for said := "gave no answer"; ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return fmt.Errorf("INGRESS is not an address such as http://127.0.0.1:8000: %w", err)
		}
		request.Host = e.host
		answer, err := client.Do(request)
		switch {
		case err == nil:
			_ = answer.Body.Close()
			if isFunction(e.path, answer) {
				return nil
			}
			said = fmt.Sprintf("answers %d %s", answer.StatusCode, answer.Header.Get("Content-Type"))
		case ctx.Err() == nil:
			said = err.Error()
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("GET %s for host %s %s", address, e.host, said)
		}
	}
}

// isFunction tells the answer of a function from one of the ingress or of the edge before it, whose pages are HTML or plain
// text. A refusal in a problem document is a function's; health must be well.
func isFunction(path string, answer *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	problem := kind == "application/problem+json"
	if strings.HasPrefix(path, apiPath) && path != docsPath && kind != "application/json" && !problem {
		return false
	}
	if path == healthPath {
		return answer.StatusCode == http.StatusOK
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed:
		return problem
	case http.StatusSeeOther: // to where people sign in; the edge would name a whole address
		return strings.HasPrefix(answer.Header.Get("Location"), "/")
	}
	return answer.StatusCode >= 200 && answer.StatusCode < 300
}

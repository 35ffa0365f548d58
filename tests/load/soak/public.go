package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// A panel is that of an operator who is signed in.
type panel struct {
	cookie string
	client *http.Client
	at     *load.Site
}

// The account was enrolled long ago, and lives for longer than a soak.
const insertOperator = `
WITH operator AS (
    INSERT INTO admin_account (email, role, password_hash, totp_secret, enrolled_at) VALUES ('olga@example.com', 'support', 'none', '\x00', now()) RETURNING id
)
INSERT INTO admin_session (account_id, kind, token_hash, expires_at) SELECT id, 'panel', sha256(convert_to($1::text, 'UTF8')), now() + interval '12 hours' FROM operator`

func openPanel(ctx context.Context, at *load.Site) (*panel, error) {
	token := "hda_" + rand.Text()
	if _, err := at.DB.Exec(ctx, insertOperator, token); err != nil {
		return nil, fmt.Errorf("insert operator: %w", err)
	}
	// A redirect would lead whoever is not signed in to another page.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &panel{"__Host-admin=" + token, &http.Client{Transport: &http.Transport{}, CheckRedirect: stay}, at}, nil
}

// read reads a page of a public host of its own, as patiently as people ask the API.
func (p *panel) read(ctx context.Context, b *book, function, path, part string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		status, body, err := p.page(ctx, function, path)
		switch {
		case err != nil || status >= http.StatusInternalServerError:
		case status != http.StatusOK:
			return fmt.Errorf("GET %s of %s: answered %d", path, function, status)
		case !bytes.Contains(body, []byte(part)):
			return fmt.Errorf("GET %s of %s: the page is another", path, function)
		default:
			b.answered()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("GET %s of %s: given up, last: %d: %w", path, function, status, errors.Join(err, ctx.Err()))
		case <-time.After(pause):
			b.askedAgain(function, status)
		}
	}
}

func (p *panel) page(ctx context.Context, function, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.at.URL+path, http.NoBody)
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	req.Host = p.at.Host(function).Get("Host")
	if function == "admin" {
		req.Header.Set("Cookie", p.cookie)
	}
	answer, err := load.Fetch(p.client, req)
	return answer.Status, answer.Body, err
}

// lookAtPanel reads a list, or the page of one person.
func (h *household) lookAtPanel(ctx context.Context, p *person) error {
	path, part := load.OneOf([]string{"/people/", "/homes/", "/tasks/", "/events/", "/"}), "</html>"
	if path == "/people/" {
		path, part = "/people/?q="+p.Email, p.Email
	}
	return h.panel.read(ctx, h.book, "admin", path, part)
}

// site reads what everybody may.
func (h *household) site(ctx context.Context, p *person) error {
	switch path := load.OneOf([]string{"/", "/", "/api/health/", "/api/docs/", "/api/openapi.json"}); path {
	case "/":
		return h.panel.read(ctx, h.book, "site", path, "</html>")
	default:
		return h.book.ask(ctx, &story.Phone{URL: h.at.URL, Address: p.Address, Client: p.Client}, request{method: http.MethodGet, path: path, status: http.StatusOK})
	}
}

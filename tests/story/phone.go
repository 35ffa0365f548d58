// Package story is honeyDue as its people use it: phones that call the API, and the main job that two of them do
// together. The tests and benchmarks of this module tell it under every kind of trouble.
package story

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Phone calls the API for one person.
type Phone struct {
	URL     string
	Token   string
	Address string // where it calls from, as the edge would tell; a fresh phone has one of its own
	Patient bool   // tries again what a dead connection or a 5xx answers, which without it is an error
	Client  *http.Client
}

// At returns what makes phones that reach the API at a URL.
func At(url string) func() *Phone { return func() *Phone { return NewPhone(url) } }

// Patient makes phones that try again, for stories in which something is killed.
func Patient(phone func() *Phone) func() *Phone {
	return func() *Phone {
		p := phone()
		p.Patient = true
		return p
	}
}

// What tests serve closes the idle connections of net/http's own transport when it ends; these are the phones'.
var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}

// NewPhone returns a phone that nobody is signed in on.
func NewPhone(url string) *Phone {
	var n [3]byte
	_, _ = rand.Read(n[:])
	return &Phone{URL: url, Address: fmt.Sprintf("10.%d.%d.%d", n[0], n[1], n[2]), Client: client}
}

// An Answer is a response, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Decode reads the body of an answer that must have that status.
func (a Answer) Decode(status int, into any) error {
	if a.Status != status {
		return fmt.Errorf("answered %d, not %d: %s", a.Status, status, a.Body)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}

// Call sends one request. body is sent as JSON, a []byte as it is, nil not at all; key is an Idempotency-Key or empty. A
// redirect is an answer like any other.
func (p *Phone) Call(ctx context.Context, method, path string, body any, key string) (Answer, error) {
	encoded, raw := body.([]byte)
	if !raw && body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return Answer{}, fmt.Errorf("encode request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, p.URL+path, bytes.NewReader(encoded))
	if err != nil {
		return Answer{}, fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.Token != "" {
		req.Header.Set("Authorization", "Token "+p.Token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	req.Header.Set("X-Forwarded-For", p.Address)
	// What another host gets is for that host to see, and the token is not.
	client := *p.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := do(&client, req)
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}

// do sends a request and reads its answer.
func do(client *http.Client, req *http.Request) (Answer, error) {
	res, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: read}, nil
}

// Sure sends a request, with one Idempotency-Key where there is a body; a patient phone until something other than a dead
// connection or a 5xx answers. That is what an app does that must not lose what a person typed.
func (p *Phone) Sure(ctx context.Context, method, path string, body any) (Answer, error) {
	key := ""
	if body != nil && method == http.MethodPost {
		key = rand.Text()
	}
	return p.sure(ctx, method, path, body, key)
}

func (p *Phone) sure(ctx context.Context, method, path string, body any, key string) (Answer, error) {
	const pause = 20 * time.Millisecond
	for {
		answer, err := p.Call(ctx, method, path, body, key)
		stillRunning := err == nil && answer.Status == http.StatusConflict && key != "" && bytes.Contains(answer.Body, []byte("still running"))
		if err == nil && answer.Status < http.StatusInternalServerError && !stillRunning {
			return answer, nil
		}
		if !p.Patient {
			if err == nil {
				err = fmt.Errorf("%s %s: answered %d: %s", method, path, answer.Status, answer.Body)
			}
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, fmt.Errorf("%s %s: %w, last: %d %w", method, path, ctx.Err(), answer.Status, err)
		case <-time.After(pause):
		}
	}
}

// Read sends a GET and decodes what must be a 200.
func (p *Phone) Read(ctx context.Context, path string, into any) error {
	return p.must(ctx, http.MethodGet, path, nil, http.StatusOK, into)
}

// Create posts and decodes what must be that status.
func (p *Phone) Create(ctx context.Context, path string, status int, body, into any) error {
	return p.must(ctx, http.MethodPost, path, body, status, into)
}

// must sends a request and decodes what has to be that status.
func (p *Phone) must(ctx context.Context, method, path string, body any, status int, into any) error {
	answer, err := p.Sure(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := answer.Decode(status, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

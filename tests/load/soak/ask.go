package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/honeydue/backend/tests/story"
)

// patience is how long somebody goes on asking, and pause how long they wait in between.
const (
	patience = time.Minute
	pause    = 50 * time.Millisecond
)

// A request and what its answer must be.
type request struct {
	method, path string
	body         any
	status       int
	again        int // what answers who asks again for what was done before; 0 is nothing but status
	into         any // what the answer is read into; nil reads nothing
}

func get(path string, into any) request {
	return request{method: http.MethodGet, path: path, status: http.StatusOK, into: into}
}

func post(path string, status int, body, into any) request {
	return request{method: http.MethodPost, path: path, body: body, status: status, into: into}
}

func patch(path string, body, into any) request {
	return request{method: http.MethodPatch, path: path, body: body, status: http.StatusOK, into: into}
}

func remove(path string) request {
	return request{method: http.MethodDelete, path: path, status: http.StatusNoContent, again: http.StatusNotFound}
}

func missing(path string) request {
	return request{method: http.MethodGet, path: path, status: http.StatusNotFound}
}

// ask sends a request, and sends it again under the same Idempotency-Key while nobody answers or a server has trouble. It is an error
// when the answer is not the one that it must be, or when there is none for so long that people lose their patience.
func (b *book) ask(ctx context.Context, phone *story.Phone, r request) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	key := ""
	if r.method == http.MethodPost {
		key = rand.Text()
	}
	for tries := 0; ; tries++ {
		answer, err := phone.Call(ctx, r.method, r.path, r.body, key)
		switch {
		case err != nil || isTrouble(answer):
		case answer.Status == r.status:
			b.answered()
			return answer.Decode(r.status, r.into)
		case tries > 0 && answer.Status == r.again:
			b.answered()
			return nil
		default:
			return fmt.Errorf("%s %s: answered %d, not %d, at try %d: %.300s", r.method, r.path, answer.Status, r.status, tries+1, answer.Body)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s %s: given up after %d tries, last: %d: %w", r.method, r.path, tries+1, answer.Status, errors.Join(err, ctx.Err()))
		case <-time.After(pause):
			b.askedAgain(functionOf(r.path), answer.Status)
		}
	}
}

// isTrouble returns whether the same request, sent again in a moment, may be answered otherwise.
func isTrouble(a story.Answer) bool {
	const moment = 5 // seconds
	switch {
	case a.Status >= http.StatusInternalServerError:
		return true
	case a.Status == http.StatusConflict:
		return bytes.Contains(a.Body, []byte("still running"))
	case a.Status == http.StatusTooManyRequests:
		wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
		return err == nil && wait <= moment
	}
	return false
}

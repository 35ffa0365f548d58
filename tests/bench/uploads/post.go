package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/world"
)

// post sends JSON on behalf of a person, under a key unless that is empty, and returns how long the answer, which must be a
// 201, took to its last byte.
func post(ctx context.Context, client *http.Client, url string, person int64, key, body string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Token "+world.Token(person))
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	began := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	took := time.Since(began)
	if err != nil || res.StatusCode != http.StatusCreated {
		return 0, errors.Join(err, fmt.Errorf("answered %d: %s", res.StatusCode, answer))
	}
	return took, nil
}

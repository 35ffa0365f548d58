package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/load"
)

// A process is one that serves.
type process struct {
	Name, State string
	PID         int
	InFlight    int `json:"in_flight"` // requests and events
}

// client asks the system's own page.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}

// running returns each function's process, by its name.
func running(ctx context.Context, at *load.Site) (map[string]process, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL+"/_local/functions", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("find processes: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var list struct{ Results []process }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("find processes: %w", err)
	}
	all := map[string]process{}
	for _, p := range list.Results {
		if p.State == "serving" {
			all[p.Name] = p
		}
	}
	return all, nil
}

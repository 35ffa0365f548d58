package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/honeydue/backend/knative"
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
	answer, err := load.Fetch(client, req)
	if err != nil {
		return nil, fmt.Errorf("find processes: %w", err)
	}
	list, err := load.Decode[struct{ Results []process }](answer.Body)
	if err != nil {
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

// paths are the functions by what their paths begin with, as the manifests have it.
var paths = sync.OnceValue(func() map[string]string {
	manifests, err := knative.Read()
	all := map[string]string{}
	if err == nil { // the system that this one lives with was started from them
		for _, f := range manifests.Functions {
			for _, path := range f.Paths {
				all[path] = f.Name
			}
		}
	}
	return all
})

// functionOf is the function that answers a call of the API.
func functionOf(path string) string {
	for begin, name := range paths() {
		if strings.HasPrefix(path, begin) {
			return name
		}
	}
	return ""
}

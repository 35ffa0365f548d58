package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// tasksAHome is how many the board has, as beside the other limits.
const tasksAHome = 100

// Calls of function tasks and of the empty service.
const (
	boardPath   = "/api/tasks/"
	lookupsPath = "/api/lookups/"
)

// calls makes a person with a home and returns what their phone asks for.
func calls(ctx context.Context, c *cluster.Cluster) (board, lookups call, err error) {
	person, err := story.Register(ctx, c.Phone(), "Olive")
	if err != nil {
		return board, lookups, fmt.Errorf("register: %w", err)
	}
	home, err := story.Share(ctx, person)
	if err != nil {
		return board, lookups, err
	}
	const atOnce = 50
	for first := 0; first < tasksAHome; first += atOnce {
		var tasks []map[string]any
		for i := first; i < first+atOnce; i++ {
			tasks = append(tasks, map[string]any{
				"title": fmt.Sprintf("Look after thing %d", i), "description": "Both sides, and the joints; the ladder stands behind the shed.",
				"category_id": 1 + i%13, "priority_id": 1 + i%4, "frequency_id": 1 + i%8, "due_date": story.Day(i*7%180 - 90), "estimated_cost": "129.90",
			})
		}
		if err := person.Create(ctx, "/api/tasks/bulk/", http.StatusCreated, map[string]any{"residence_id": home, "tasks": tasks}, nil); err != nil {
			return board, lookups, err
		}
	}
	header := http.Header{
		"Authorization": {"Token " + person.Token}, "X-Forwarded-For": {person.Address}, "Accept-Encoding": {"gzip"},
	}
	return call{path: boardPath, header: header}, call{path: lookupsPath, header: header}, nil
}

// keep asks for the board until it comes from the cache, which keeps nothing for some seconds after a change, and the token as well.
func (w way) keep(ctx context.Context, board call) error {
	transport := w.dial()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	for range 60 {
		_, header, err := w.one(ctx, client, board)
		if err != nil {
			return fmt.Errorf("ask for board: %w", err)
		}
		if strings.HasPrefix(header.Get("Server-Timing"), "db;dur=0,") {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return errors.New("the cache does not keep the board")
}

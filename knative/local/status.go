package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/honeydue/backend/knative/schedule"
)

// A function's states.
const (
	stateZero     = "zero"
	stateStarting = "starting"
	stateServing  = "serving"
	stateDraining = "draining"
)

type functionStatus struct {
	Name            string  `json:"name"`
	State           string  `json:"state"`
	PID             int     `json:"pid"` // 0 without a process
	Starts          int     `json:"starts"`
	LastColdStartMS float64 `json:"last_cold_start_ms"` // from process start to listening
	ResidentBytes   int64   `json:"resident_bytes"`
	InFlight        int     `json:"in_flight"` // requests inside or waiting to be
}

func (f *function) status() functionStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := functionStatus{
		Name: f.Name, State: stateZero, Starts: f.starts, InFlight: f.requests,
		LastColdStartMS: float64(f.cold.Microseconds()) / 1000,
	}
	p := f.current
	if p != nil && isClosed(p.ended) {
		p = nil
	}
	switch {
	case p != nil && isClosed(p.ready):
		s.State = stateServing
	case p != nil:
		s.State = stateStarting
	default:
		for draining := range f.processes {
			if !isClosed(draining.ended) {
				p, s.State = draining, stateDraining
			}
		}
	}
	if p != nil {
		s.PID = p.cmd.Process.Pid
		s.ResidentBytes = resident(s.PID)
	}
	return s
}

func (f *function) lastFailure() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// resident returns the memory that a process holds, as Linux counts it; 0 where that cannot be asked.
func resident(pid int) int64 {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(content) // in pages: all, resident, …
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

func (s *System) functionStatuses() []functionStatus {
	statuses := make([]functionStatus, 0, len(s.functions))
	for _, f := range s.functions {
		statuses = append(statuses, f.status())
	}
	return statuses
}

// pages serves /_local/.
func (s *System) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_local/{$}", servePage)
	mux.HandleFunc("GET /_local/state", s.serveState)
	mux.HandleFunc("GET /_local/functions", results(s.functionStatuses))
	mux.HandleFunc("GET /_local/events", results(s.events.list))
	mux.HandleFunc("GET /_local/mail", results(s.mailbox.Messages))
	mux.HandleFunc("GET /_local/push", results(s.pushes.Pushes))
	mux.HandleFunc("GET /_local/messages", s.serveMessages)
	mux.HandleFunc("POST /_local/messages/{id}/replay/", s.serveMessages)
	mux.HandleFunc("GET /_local/bucket", s.objects.serveList)
	mux.HandleFunc("GET "+objectPath+"{key...}", s.objects.serveObject)
	mux.HandleFunc("POST /_local/schedules/{name}", s.fireSchedule)
	mux.Handle("GET "+metricsPath, s.metrics.serve())
	mux.HandleFunc("POST "+metricsPath, s.metrics.take)
	return onlyLocal(http.NewCrossOriginProtection().Handler(mux))
}

// onlyLocal refuses requests that do not name this machine: a page from elsewhere whose host name was made to
// lead here must not read mails.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			problem(w, http.StatusForbidden, "This page is for this machine alone.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func results[T any](list func() []T) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"results": list()})
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *System) fireSchedule(w http.ResponseWriter, r *http.Request) {
	err := s.Fire(r.Context(), r.PathValue("name"))
	switch {
	case errors.Is(err, schedule.ErrUnknown):
		problem(w, http.StatusNotFound, "No schedule has this name.")
	case err != nil:
		problem(w, http.StatusBadGateway, "The broker did not take the event.")
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

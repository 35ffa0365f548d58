// Command echo is a function for the runner's tests: it answers with what it was asked, and misbehaves on demand.
package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

type answer struct {
	PID     int         `json:"pid"`
	Method  string      `json:"method"`
	URI     string      `json:"uri"`
	Host    string      `json:"host"`
	Header  http.Header `json:"header"`
	Body    string      `json:"body"`
	Environ []string    `json:"environ"`
}

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("function", os.Getenv("K_SERVICE"))
	if os.Getenv("PORT") == "" { // the migration
		if os.Getenv("FAIL") != "" {
			log.Error("no schema today")
			os.Exit(1)
		}
		return
	}
	if os.Getenv("FAIL") != "" {
		log.Error("does not start")
		os.Exit(1)
	}
	server := &http.Server{Addr: os.Getenv("LISTEN_HOST") + ":" + os.Getenv("PORT"), Handler: http.HandlerFunc(serve)}
	go func() { _ = server.ListenAndServe() }()
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	<-terminated
	log.Info("drained", "late", os.Getenv("LATE"))
	if os.Getenv("LATE") != "" {
		select {}
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Info("request", "path", r.URL.Path, "status", 200)
	switch {
	case r.URL.Path == "/healthz":
		return
	case strings.HasSuffix(r.URL.Path, "/die"):
		os.Exit(3)
	case strings.HasSuffix(r.URL.Path, "/wait"): // until the caller has enough
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return
	case strings.HasSuffix(r.URL.Path, "/nap"):
		select { // a request that takes a while, and ends with its caller
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
		}
	case r.Header.Get("Ce-Id") != "": // events leave a mark
		if strings.HasSuffix(r.Header.Get("Ce-Id"), "fail") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(answer{
		os.Getpid(), r.Method, r.RequestURI, r.Host, r.Header, string(body), os.Environ(),
	})
}

package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/pg"
)

// deliveryTimeout ends a delivery from the broker before Knative does, at 45 s.
const deliveryTimeout = 42 * time.Second

// transferTimeout bounds each of a photo's three ways, from the bucket and back twice, so that a bucket that is slow or silent
// leaves time in the delivery: only a photo that is itself too much work takes all of it.
const transferTimeout = 11 * time.Second

type service struct {
	db       *pg.DB
	bucket   *bucket.Bucket
	log      *slog.Logger
	transfer time.Duration
}

func newService(db *pg.DB, photos *bucket.Bucket, log *slog.Logger) *service {
	return &service{db: db, bucket: photos, log: log, transfer: transferTimeout}
}

// handler takes events from the broker at POST /, and nothing else.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", oneAtATime(&events.Consumer{
		Name: "media", DB: s.db, Log: s.log, Timeout: deliveryTimeout,
		Work: s.cleanUpload,
	}))
	return mux
}

// oneAtATime lets one request in: a second photo would not fit into memory. The others wait here, before their attempts are
// counted, and one whose client has left never begins.
func oneAtATime(next http.Handler) http.Handler {
	slot := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slot <- struct{}{}:
			defer func() { <-slot }()
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

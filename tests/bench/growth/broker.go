package main

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// A broker takes every event at once and notes when.
type broker struct {
	*httptest.Server

	mu   sync.Mutex
	came []time.Time
}

func newBroker() *broker {
	b := &broker{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		b.came = append(b.came, time.Now())
		b.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	return b
}

// taken returns when events came since it was asked last, in their order.
func (b *broker) taken() []time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	came := b.came
	b.came = nil
	return came
}

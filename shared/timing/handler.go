package timing

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// coldStart has one value of each process that a request waited for.
var coldStart, _ = otel.Meter("github.com/honeydue/backend/shared/timing").Float64Histogram("faas.init_duration", metric.WithUnit("s"),
	metric.WithDescription("How old the process was when it took its first request"),
	metric.WithExplicitBucketBoundaries(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))

// header is that of W3C Server Timing. Durations are milliseconds.
const header = "Server-Timing"

// Handler returns next with the header Server-Timing on each of its answers, such as
//
//	Server-Timing: db;dur=1.2, cache;dur=0.3, cold;dur=61.4
//
// in milliseconds, rounded to tenths. db and cache say how long the request had waited for the database and the cache when its
// status went out; 0 means not at all. cold is the age of the process when it took its first request and the same in every answer of
// a process. A request for the path probe is the platform's: it has the header and is nobody's first request, so that
// answers to it have no cold before there was one. What next itself says in this header stays.
func Handler(next http.Handler, probe string) http.Handler {
	return &handler{next: next, probe: probe, born: born()}
}

type handler struct {
	next  http.Handler
	probe string
	born  time.Time
	cold  atomic.Int64 // time.Duration; 0 before the first request
	ready atomic.Int64 // UnixNano; when the platform first asked
}

// wanted returns whether somebody waited for this process. One that had been ready for a while was started ahead of anybody.
func (h *handler) wanted() bool {
	const while = time.Second
	ready := h.ready.Load()
	return ready == 0 || time.Since(time.Unix(0, ready)) < while
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == h.probe {
		h.ready.CompareAndSwap(0, time.Now().UnixNano())
	}
	if h.cold.Load() == 0 && r.URL.Path != h.probe {
		if age := time.Since(h.born); h.cold.CompareAndSwap(0, int64(age)) && h.wanted() {
			coldStart.Record(r.Context(), age.Seconds())
		}
	}
	a := &answer{ResponseWriter: w, cold: &h.cold}
	h.next.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), requestKey{}, &a.request)))
	a.begin() // who writes nothing has answered 200
}

// An answer puts the header before the status.
type answer struct {
	http.ResponseWriter
	request request
	cold    *atomic.Int64
	begun   bool
}

func (a *answer) WriteHeader(code int) {
	if code >= http.StatusOK || code == http.StatusSwitchingProtocols {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(body []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(body)
}

// FlushError is what http.ResponseController flushes by. It sends the status, if nothing did.
func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	a.Header().Add(header, a.value())
}

func (a *answer) value() string {
	times, ok := a.request.told()
	line := make([]byte, 0, 64)
	for p, name := range [parts]string{Database: "db", Cache: "cache"} {
		if p > 0 {
			line = append(line, ", "...)
		}
		line = append(line, name...)
		if ok {
			line = appendDuration(line, times[p])
		}
	}
	if cold := a.cold.Load(); cold != 0 {
		line = appendDuration(append(line, ", cold"...), time.Duration(cold))
	}
	return string(line)
}

// appendDuration appends d in milliseconds, as in ;dur=1.2.
func appendDuration(line []byte, d time.Duration) []byte {
	const tenth = time.Millisecond / 10
	return strconv.AppendFloat(append(line, ";dur="...), float64(d.Round(tenth)/tenth)/10, 'f', -1, 64)
}

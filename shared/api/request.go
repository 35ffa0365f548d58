package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/telemetry"
)

// answerWithin is how long a request may take, so that nobody waits for a dependency that hangs.
const answerWithin = 4500 * time.Millisecond

// A record gathers what the one log line of a request says.
type record struct {
	mu    sync.Mutex
	attrs []slog.Attr
	level slog.Level
}

type recordKey struct{}

// Log adds attributes to the log line of the request that ctx belongs to: never a secret, an address or a body.
func Log(ctx context.Context, attrs ...slog.Attr) {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.attrs = append(r.attrs, attrs...)
	}
}

// note puts the cause of an answer into the log line: everything that is the server's fault.
func note(ctx context.Context, p *problem.Problem, err error) {
	if p.Status < http.StatusInternalServerError {
		return
	}
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		r.mu.Lock()
		r.level = slog.LevelError
		r.mu.Unlock()
	}
	Log(ctx, slog.String("error", withoutValues(err)))
	if p.Status == http.StatusServiceUnavailable {
		Log(ctx, slog.String("mend", "check that DATABASE_URL's server is up and that migrate has run"))
	}
}

// withoutValues is the text of err, less the words of PostgreSQL, which may quote what was submitted.
func withoutValues(err error) string {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), refused.Error(), strings.TrimSpace("SQLSTATE "+refused.Code+" "+refused.ConstraintName))
}

// Write answers with p outside of any operation.
func Write(w http.ResponseWriter, p *problem.Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// status remembers what was answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	if s.code == 0 {
		s.code = code
	}
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Write(body []byte) (int, error) {
	if s.code == 0 {
		s.code = http.StatusOK
	}
	return s.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// wrap surrounds the router with what every answer has: an id, headers, a deadline, a log line, no panic.
func wrap(router chi.Router, log *slog.Logger, proxies Proxies) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := requestID(r.Header.Get("X-Request-Id"))
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		rec := &record{level: slog.LevelInfo}
		// A phone that hangs up ends nothing halfway: that would cost a connection to the database, and leave open
		// whether a commit happened.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerWithin)
		defer cancel()
		ctx = context.WithValue(ctx, recordKey{}, rec)
		ctx = context.WithValue(ctx, addressKey{}, proxies.Client(r))
		routes := chi.NewRouteContext()
		ctx = context.WithValue(ctx, chi.RouteCtxKey, routes)
		method := r.Method
		r = r.WithContext(ctx)
		if method == http.MethodHead {
			r.Method = http.MethodGet // the server leaves the body out
		}
		body := r.Body
		r.Body = io.NopCloser(body)
		r.URL.Path, r.URL.RawPath = slashed(r.URL.Path), slashed(r.URL.RawPath)
		answer := &status{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				rec.level = slog.LevelError
				Log(ctx, slog.String("panic", fmt.Sprintf("%T", cause)), slog.String("stack", string(debug.Stack())))
				if answer.code == 0 {
					Write(answer, problem.New(http.StatusInternalServerError, ""))
				}
			}
			took := time.Since(began)
			telemetry.Served(ctx, telemetry.Request{ID: id, Method: known(method), Route: routes.RoutePattern(), Status: answer.code, Took: took})
			rec.mu.Lock()
			defer rec.mu.Unlock()
			log.LogAttrs(ctx, rec.level, "request", append([]slog.Attr{
				slog.String("request_id", id), slog.String("method", method), slog.String("route", routes.RoutePattern()),
				slog.Int("status", answer.code), slog.Int64("us", took.Microseconds()),
			}, rec.attrs...)...)
		}()
		router.ServeHTTP(answer, r)
		if answer.code >= http.StatusBadRequest {
			drain(w, body)
		}
	})
}

// known is a method, or what OpenTelemetry calls one that nobody knows: anybody may invent them.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "_OTHER"
}

// drained is as much as is read of a body that was refused: a whole photo, which does not belong here.
const drained = 16 << 20

// drain reads what is left of a body, so that whoever is still sending it comes to read the answer.
func drain(w http.ResponseWriter, body io.Reader) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(answerWithin))
	_, _ = io.CopyN(io.Discard, body, drained)
}

// slashed adds the slash in which all paths end but those of files.
func slashed(path string) string {
	if path == "" || strings.HasSuffix(path, "/") || strings.Contains(path[strings.LastIndexByte(path, '/'):], ".") {
		return path
	}
	return path + "/"
}

// requestID takes over an id that a proxy gave, if it looks like one.
func requestID(given string) string {
	ok := len(given) >= 8 && len(given) <= 64
	for _, c := range given {
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-')
	}
	if ok {
		return given
	}
	return uuid.NewString()
}

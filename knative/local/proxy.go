package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"syscall"
	"time"
)

const (
	// startTries is how often a request may find that the process it was given has gone.
	startTries = 3

	// endingTime is how long a program whose connections break may take until it is gone.
	endingTime = 200 * time.Millisecond
)

// handler serves a function's requests: each waits for its turn and for the process, as long as the manifest's
// timeout allows for all of it together.
func (f *function) handler() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:       f.rewrite,
		Transport:     &transport{f, &http.Transport{DisableKeepAlives: true, DisableCompression: true}},
		FlushInterval: -1,
		ErrorHandler:  f.refuse,
		ErrorLog:      slog.NewLogLogger(f.log.Handler(), slog.LevelWarn),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), f.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
		if err := f.enter(ctx); err != nil {
			f.refuse(w, r, err)
			return
		}
		defer f.leave()
		proxy.ServeHTTP(w, r)
	})
}

// rewrite passes a request on as the edge does: to the host name that the cluster would use, with its peer
// appended to X-Forwarded-For. Whatever else came in stays.
func (f *function) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "http"
	r.Out.URL.Host = f.Host
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
	r.SetXForwarded()
	r.Out.Host = f.Host
}

// refuse answers in the function's place.
func (f *function) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		problem(w, http.StatusGatewayTimeout, f.Name+" did not answer within "+f.Timeout.String()+".")
	case r.Context().Err() != nil: // nobody is there to read an answer
	case errors.Is(err, errFull), errors.Is(err, errStopped):
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusServiceUnavailable, f.Name+" takes no more requests at the moment.")
	default:
		f.log.WarnContext(r.Context(), "request failed", "error", err)
		problem(w, http.StatusBadGateway, f.Name+" ended before it had answered. The logs at /_local/ hold what it said.")
	}
}

// A transport sends requests to the function's process. Its connections serve one request each: of those that
// live longer, net/http repeats requests by itself when one breaks, and what may have had an effect must not be
// repeated.
type transport struct {
	function *function
	base     http.RoundTripper
}

// RoundTrip sends the request to a process that is ready. Only when none was listening, so that nothing can have
// been read, is it sent again.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	for try := 1; ; try++ {
		p, err := t.function.running(ctx)
		if err != nil {
			return nil, err
		}
		out := r.Clone(ctx)
		out.URL.Host = p.host
		if r.Body != nil {
			out.Body = io.NopCloser(r.Body) // a failed dial would close it
		}
		res, err := t.base.RoundTrip(out)
		if err == nil {
			return res, nil
		}
		// A program whose connection breaks is most likely on its way out. Who asks next should find it gone.
		select {
		case <-p.ended:
		case <-ctx.Done():
		case <-time.After(endingTime):
		}
		if try == startTries || !refused(err) {
			return nil, err
		}
	}
}

func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && errors.Is(err, syscall.ECONNREFUSED)
}

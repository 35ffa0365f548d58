// Command system measures what a test must not: times and sizes, which depend on the machine and its mood. It prints tables, with
// the target beside each figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver/wire"
	"github.com/honeydue/backend/tests/bench/built"
	"github.com/honeydue/backend/tests/bench/report"
)

// publishing is how long the sink takes; silence is longer, and means that it is over.
const (
	publishing = 200 * time.Millisecond
	silence    = 2 * publishing
)

func main() { report.Main("system", bench) }

func bench(ctx context.Context, out io.Writer) (bool, error) {
	dir, err := os.MkdirTemp("", "honeydue-bench-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return false, fmt.Errorf("open folder: %w", err)
	}
	stripped := filepath.Join(dir, "stripped")
	if err := built.Functions(ctx, stripped, functions[:]...); err != nil {
		return false, err
	}
	starts, err := benchStarts(ctx, out, stripped)
	if err != nil {
		return false, err
	}
	calls, err := withSystem(ctx, filepath.Join(dir, "run"), func(s *local.System, counter *wire.Counter) (bool, error) {
		trips, err := benchTrips(ctx, out, s, counter)
		if err != nil {
			return false, err
		}
		boards, err := benchBoards(ctx, out, s)
		if err != nil {
			return false, err
		}
		if err := benchWrites(ctx, out, s); err != nil {
			return false, err
		}
		crowd, err := benchCrowd(ctx, out, s, counter)
		return trips && boards && crowd, err
	})
	return starts && calls, err
}

// slowSink stands where the broker is and takes its time, so that what a function writes after an event was published
// falls behind the answer that is measured.
func slowSink(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(publishing):
	}
	w.WriteHeader(http.StatusAccepted)
}

// withSystem runs fn on a system whose functions reach their database through a counter.
func withSystem(ctx context.Context, dir string, fn func(*local.System, *wire.Counter) (bool, error)) (met bool, err error) {
	counter, err := wire.Listen(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, counter.Close()) }()
	sink := httptest.NewServer(http.HandlerFunc(slowSink))
	defer sink.Close()
	values := map[string]string{"honeydue/K_SINK": sink.URL}
	for _, name := range functions {
		values["honeydue-"+name+"/DATABASE_URL"] = fmt.Sprintf("postgres://honeydue_%s@%s/honeydue?sslmode=disable", name, counter.Addr())
	}
	s, err := local.Start(ctx, local.Config{Dir: dir, Durable: true, Values: values, Idle: time.Hour})
	if err != nil {
		return false, fmt.Errorf("start system: %w", err)
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	counter.To(fmt.Sprintf("127.0.0.1:%d", s.PgBouncer.Port()))
	return fn(s, counter)
}

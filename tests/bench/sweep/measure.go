package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
)

// A result is what a sweep took, the last one where others were killed before, and what it left.
type result struct {
	ticks      int
	took       time.Duration
	memory     int64 // bytes, at most
	left, lost int   // objects
}

// longestRun is within what a killed sweeper is still at work.
const longestRun = 1500 * time.Millisecond

// measure kills a sweeper at random moments, so many times, and then lets one work until nothing is left.
func (w *world) measure(ctx context.Context, kills int) (result, error) {
	var r result
	for range kills {
		p, err := w.start(ctx)
		if err != nil {
			return r, err
		}
		ticking := make(chan struct{})
		go func() {
			defer close(ticking)
			_ = p.tick(ctx) // cut off, or done
		}()
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(longestRun)):
		}
		err = p.kill()
		<-ticking
		if err != nil {
			return r, err
		}
		if _, err := w.db.Exec(ctx, `UPDATE upload_tombstone SET due_at = now()`); err != nil {
			return r, fmt.Errorf("end claims: %w", err)
		}
	}
	p, err := w.start(ctx)
	if err != nil {
		return r, err
	}
	began := time.Now()
	for todo := 1; todo > 0 && r.took < 5*maxTime; r.ticks++ {
		if err := p.tick(ctx); err != nil {
			return r, errors.Join(err, p.kill())
		}
		r.took = time.Since(began)
		if err := w.db.QueryRow(ctx, `SELECT (SELECT count(*) FROM pending_uploads WHERE state = 'pending') + (SELECT count(*) FROM upload_tombstone)`).Scan(&todo); err != nil {
			return r, fmt.Errorf("count what is left: %w", err)
		}
	}
	r.memory, err = proc.Memory(p.cmd.Process.Pid)
	if err := errors.Join(err, p.kill()); err != nil {
		return r, err
	}
	if r.left, err = w.count(ctx, "uploads/"); err != nil {
		return r, err
	}
	kept, err := w.count(ctx, "media/")
	r.lost = 2*attached - kept
	return r, err
}

// A process is a sweeper.
type process struct {
	cmd *exec.Cmd
	url string
}

// start starts a sweeper and returns once it listens.
func (w *world) start(ctx context.Context) (*process, error) {
	cmd, url, err := proc.Start(ctx, w.program, append([]string{"LOG_LEVEL=warn"}, w.env...), os.Stderr)
	if err != nil {
		return nil, fmt.Errorf("sweeper: %w", err)
	}
	return &process{cmd, url + "/"}, nil
}

// tick sends what the schedule uploads sends and returns once it is answered.
func (p *process) tick(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	for name, value := range map[string]string{"Ce-Id": "1", "Ce-Type": "dev.knative.sources.ping", "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/uploads"} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusNoContent {
		return errors.Join(err, fmt.Errorf("tick answered %d", res.StatusCode))
	}
	return nil
}

// kill ends the process at once.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill sweeper: %w", err)
	}
	var ended *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &ended) {
		return fmt.Errorf("wait for sweeper: %w", err)
	}
	return nil
}

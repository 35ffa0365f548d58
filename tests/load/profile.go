package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Profile asks a process that was built with the tag profile for what net/http/pprof has under that name, with a query or without.
func Profile(ctx context.Context, pid int, name string) ([]byte, error) {
	socket := filepath.Join(os.TempDir(), fmt.Sprintf("honeydue-profile-%d.sock", pid))
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://process/debug/pprof/"+name, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	answer, err := Fetch(&http.Client{Transport: transport}, req)
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("answered %d: %s", answer.Status, answer.Body)
	}
	if err != nil {
		return nil, fmt.Errorf("ask process for %s: %w", name, err)
	}
	return answer.Body, nil
}

// profiling takes profiles of the function while it is under load, for as long as that lasts, and returns what waits for the last
// of them. They are files in dir that `go tool pprof` reads; no dir takes none.
func (at *Site) profiling(ctx context.Context, dir string, lasting time.Duration) (wait func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	pids, err := at.pids()
	if err != nil {
		return nil, err
	}
	if len(pids) != 1 {
		return nil, fmt.Errorf("take profiles: the function has %d processes, not 1", len(pids))
	}
	taken := make(chan error, 1)
	keep := func(file, name string) error {
		profile, err := Profile(ctx, pids[0], name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, at.function+"-"+file+".pprof"), profile, 0o600); err != nil {
			return fmt.Errorf("keep profile: %w", err)
		}
		return nil
	}
	go func() {
		err := keep("cpu", fmt.Sprintf("profile?seconds=%d", max(1, int(lasting.Seconds())-1)))
		taken <- errors.Join(err, keep("allocs", "allocs"), keep("block", "block"), keep("mutex", "mutex"))
	}()
	return func() error { return <-taken }, nil
}

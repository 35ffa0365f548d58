package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A process is a function at work.
type process struct {
	cmd *exec.Cmd
	log *os.File
	url string
}

// start starts a function, with further variables, and returns once it listens. Its log goes to a file, at the usual level.
func (w *world) start(ctx context.Context, name string, further ...string) (*process, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	log, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	_, port, _ := net.SplitHostPort(address)
	p := &process{exec.CommandContext(ctx, filepath.Join(w.dir, name)), log, "http://" + address}
	p.cmd.Env, p.cmd.Stderr = append(append(w.env(name), further...), "PORT="+port), log
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return p, conn.Close()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("%s does not listen", name), p.stop())
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
}

// stop lets the process end what it has begun.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := errors.Join(p.cmd.Wait(), p.log.Close()); err != nil {
		return fmt.Errorf("end %s: %w", filepath.Base(p.cmd.Path), err)
	}
	return nil
}

// post sends JSON on behalf of a person, under a key unless that is empty, and returns how long the answer, which must be a
// 201, took to its last byte.
func (p *process) post(ctx context.Context, client *http.Client, path string, person int64, key, body string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Token "+token(person))
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	began := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	took := time.Since(began)
	if err != nil || res.StatusCode != http.StatusCreated {
		return 0, errors.Join(err, fmt.Errorf("answered %d: %s", res.StatusCode, answer))
	}
	return took, nil
}

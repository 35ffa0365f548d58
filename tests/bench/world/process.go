package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/honeydue/backend/tests/bench/built"
	"github.com/honeydue/backend/tests/bench/proc"
)

// A Process is a function at work.
type Process struct {
	URL string // of its root, without a last slash

	cmd *exec.Cmd
	log *os.File
}

// Start starts a function, with further variables, and returns once it listens. Its log goes to a file, at the usual level.
func (w *World) Start(ctx context.Context, function string, further ...string) (*Process, error) {
	return w.Run(ctx, function, slices.Concat(w.env(function), further))
}

// profiled is the folder of programs that tell their profiles.
const profiled = "profiled"

// StartProfiled builds a function so that it tells its profiles, and starts it as Start does.
func (w *World) StartProfiled(ctx context.Context, function string, further ...string) (*Process, error) {
	dir := filepath.Join(w.Dir, profiled)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	if err := built.Profiled(ctx, dir, function); err != nil {
		return nil, err
	}
	return w.Run(ctx, filepath.Join(profiled, function), slices.Concat(w.env(function), further))
}

// Run starts any program of the folder that listens on PORT, and returns once it does.
func (w *World) Run(ctx context.Context, program string, env []string) (*Process, error) {
	log, err := os.Create(filepath.Join(w.Dir, program+".log"))
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	cmd, url, err := proc.Start(ctx, filepath.Join(w.Dir, program), env, log)
	if err != nil {
		said, _ := os.ReadFile(log.Name())
		return nil, errors.Join(fmt.Errorf("%s: %w; it said: %s", program, err, said), log.Close())
	}
	return &Process{URL: url, cmd: cmd, log: log}, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Said returns how many lines of the log have text in them.
func (p *Process) Said(text string) (lines int, err error) {
	log, err := os.ReadFile(p.log.Name())
	if err != nil {
		return 0, fmt.Errorf("read log: %w", err)
	}
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte(text)) {
			lines++
		}
	}
	return lines, nil
}

// Stop lets the process end what it has begun.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := errors.Join(p.cmd.Wait(), p.log.Close()); err != nil {
		return fmt.Errorf("end %s: %w", filepath.Base(p.cmd.Path), err)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// An outcome is what a benchmark said. It is kept in a file of its own, so that one can be measured again without the others.
type outcome struct {
	Date    string          `json:"date"`
	Commit  string          `json:"commit"`
	Machine []string        `json:"machine"` // what it was measured on, and with which programs
	Minutes float64         `json:"minutes"`
	Met     bool            `json:"met"` // it told everything, and missed no target
	Lines   []string        `json:"lines"`
	Records []report.Record `json:"records"`
}

// newOutcome is one of a benchmark that took so long and printed text.
func newOutcome(ctx context.Context, met bool, took time.Duration, text string, records []report.Record) outcome {
	return outcome{
		Date: time.Now().UTC().Format(time.DateOnly), Commit: commit(ctx),
		Machine: append(machine(), versions(ctx)...), Minutes: took.Minutes(), Met: met,
		Lines: strings.Split(strings.TrimSpace(text), "\n"), Records: records,
	}
}

// keep writes an outcome into folder in place of the one before.
func (o outcome) keep(folder, name string) error {
	text, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return fmt.Errorf("keep outcome: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep outcome: %w", err)
	}
	return nil
}

// kept reads the outcome of a benchmark, or nil if it was never run.
func kept(folder, name string) (*outcome, error) {
	text, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read outcome: %w", err)
	}
	o := &outcome{}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, fmt.Errorf("read outcome %s: %w", name, err)
	}
	return o, nil
}

// commit says on which one, and whether something but the page was changed since.
func commit(ctx context.Context) string {
	at := said(ctx, "git", "rev-parse", "--short", "HEAD")
	if said(ctx, "git", "status", "--porcelain", "--", ":/", ":(top,exclude)docs") != "" {
		return at + "-dirty"
	}
	return at
}

// machine says what the figures were measured on.
func machine() []string {
	field := func(path, name string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			return "unknown"
		}
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
				return strings.TrimSpace(value)
			}
		}
		return "unknown"
	}
	return []string{
		fmt.Sprintf("%d cores, %s, %s/%s", runtime.NumCPU(), field("/proc/cpuinfo", "model name"), runtime.GOOS, runtime.GOARCH),
		"memory " + field("/proc/meminfo", "MemTotal"),
	}
}

// versions says with which programs.
func versions(ctx context.Context) []string {
	return []string{said(ctx, "go", "version"), said(ctx, "psql", "--version"), said(ctx, "pgbouncer", "--version"), said(ctx, "redis-server", "--version"), said(ctx, "uname", "-sr")}
}

// said is the first line that a program answers.
func said(ctx context.Context, name string, args ...string) string {
	answer, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return name + ": unknown"
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(answer)), "\n")
	return first
}

// Command bench runs every benchmark, one after the other, keeps what each said in docs/performance, and writes docs/performance.md from
// all that is kept there, with plots. It ends with 1 when a target was missed or a benchmark failed.
//
//	go run ./tests/bench                # everything that this machine can; about an hour and a half
//	go run ./tests/bench -only limits   # some, by name; the others stay on the page as they were
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

func main() {
	only := flag.String("only", "", "names of benchmarks, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	met, err := bench(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !met {
		os.Exit(1)
	}
}

func bench(ctx context.Context, only string) (met bool, err error) {
	root, err := workspace(ctx)
	if err != nil {
		return false, err
	}
	chosen, err := choose(only)
	if err != nil {
		return false, err
	}
	docs := filepath.Join(root, "docs")
	folder := filepath.Join(docs, "performance")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	met = true
	var failed []error
	for _, p := range chosen {
		o, err := p.run(ctx, root, os.Stdout)
		if ctx.Err() != nil {
			return false, errors.Join(append(failed, ctx.Err())...)
		}
		if err != nil { // what it said before stays
			failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
			continue
		}
		met = met && o.Met
		if err := o.keep(folder, p.name); err != nil {
			return false, err
		}
		if err := write(docs, parts()); err != nil {
			return false, err
		}
	}
	return met, errors.Join(failed...)
}

// run runs a benchmark, whose tables go to out as well. One that did not come to its end is an error; a target that was missed is what
// is to be written down.
func (p part) run(ctx context.Context, root string, out io.Writer) (o outcome, err error) {
	record, err := os.CreateTemp("", "honeydue-bench-*.jsonl")
	if err != nil {
		return o, fmt.Errorf("make record: %w", err)
	}
	defer func() { err = errors.Join(err, record.Close(), os.Remove(record.Name())) }()
	_, _ = fmt.Fprintf(out, "\n== %s\n\n", p.title)
	var text bytes.Buffer
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), report.File+"="+record.Name())
	cmd.Stdout, cmd.Stderr = io.MultiWriter(out, &text), os.Stderr
	// A benchmark is a child of `go run`, which hands no signal on, and ignores this one.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	began := time.Now()
	ran := cmd.Run()
	took := time.Since(began)
	records, err := report.Read(record)
	if err != nil {
		return o, err
	}
	whole := func(r report.Record) bool { return r.Whole }
	if ran != nil && !slices.ContainsFunc(records, whole) {
		return o, fmt.Errorf("it did not come to its end: %w", ran)
	}
	records = slices.DeleteFunc(records, whole)
	return newOutcome(ctx, ran == nil, took, text.String(), records), nil
}

// workspace returns the folder of the workspace.
func workspace(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOWORK: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(file))), nil
}

package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// progressInterval is how often a long step says that it goes on.
const progressInterval = 5 * time.Second

// workspace returns the folder of go.work, at or above the working folder.
func workspace() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find workspace: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find workspace: no go.work at or above the working folder")
		}
		dir = parent
	}
}

// build compiles packages of the workspace at root into bin, each under the last part of its path.
func build(ctx context.Context, root, bin string, flags, packages []string, log *slog.Logger) error {
	begun := time.Now()
	log.InfoContext(ctx, "building", "programs", len(packages))
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("make folder of programs: %w", err)
	}
	args := append([]string{"build", "-v", "-trimpath", "-ldflags=-s -w", "-o", bin + string(filepath.Separator)}, flags...)
	var env []string
	if !slices.Contains(flags, "-race") {
		env = []string{"CGO_ENABLED=0"} // as their images are built
	}
	err := runStep(ctx, step{name: "building", dir: root, program: "go", args: append(args, packages...), env: env}, log)
	if err != nil {
		return fmt.Errorf("build functions: %w", err)
	}
	log.InfoContext(ctx, "built", "programs", len(packages), "took", time.Since(begun).Round(time.Millisecond))
	return nil
}

// A step is a program that works for a while and says on its output how far it has come.
type step struct {
	name, dir, program string
	args, env          []string // env is added to ours
	whole              bool     // goes on to its end when the context ends: half a package is worse than a late stop
}

// tailLines is how much of a failed step's output its error holds.
const tailLines = 20

// runStep runs the step to its end and logs every few seconds what it said last.
func runStep(ctx context.Context, s step, log *slog.Logger) error {
	if s.whole {
		whole := context.WithoutCancel(ctx)
		defer context.AfterFunc(ctx, func() { log.InfoContext(whole, "stopping when this is done", "doing", s.name) })()
		ctx = whole
	}
	cmd := exec.CommandContext(ctx, s.program, s.args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = progressInterval
	output, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run %s: %w", s.program, err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run %s: %w", s.program, err)
	}
	tail := follow(bufio.NewScanner(output), s.name, log)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", s.program, err, strings.Join(tail, "\n"))
	}
	return nil
}

// follow reads lines to their end and returns the last ones.
func follow(lines *bufio.Scanner, name string, log *slog.Logger) []string {
	var tail []string
	said := time.Now()
	for n := 1; lines.Scan(); n++ {
		tail = append(tail, lines.Text())
		if len(tail) > tailLines {
			tail = tail[1:]
		}
		if time.Since(said) > progressInterval {
			said = time.Now()
			log.Info("still at it", "doing", name, "lines", n, "at", lines.Text())
		}
	}
	return tail
}

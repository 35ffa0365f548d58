package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	profiles "github.com/honeydue/backend/tests/load"
)

// How many functions of a program a profile names, and how many bytes of each line are shown.
const (
	lines = "25"
	width = 150
)

// why takes a CPU profile of a contest's function during one more turn, and returns what pprof says of it, callers first.
func (b *bench) why(ctx context.Context, c contest) (text string, err error) {
	p, err := c.start(ctx, b.StartProfiled)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	if _, err := c.turn(ctx, p, time.Second); err != nil { // connections, and what is made once
		return "", fmt.Errorf("profile %s: %w", c.short, err)
	}
	type profile struct {
		bytes []byte
		err   error
	}
	taken := make(chan profile, 1)
	b.watch = func(program int) {
		go func() {
			bytes, err := profiles.Profile(ctx, program, fmt.Sprintf("profile?seconds=%d", max(1, int(b.each.Seconds())-1)))
			taken <- profile{bytes, err}
		}()
	}
	defer func() { b.watch = nil }()
	if _, err := c.turn(ctx, p, b.each); err != nil {
		return "", fmt.Errorf("profile %s: %w", c.short, err)
	}
	cpu := <-taken
	if cpu.err != nil {
		return "", cpu.err
	}
	file := filepath.Join(b.Dir, "cpu.pprof")
	if err := os.WriteFile(file, cpu.bytes, 0o600); err != nil {
		return "", fmt.Errorf("keep profile: %w", err)
	}
	said, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount="+lines, file).Output()
	if err != nil {
		return "", fmt.Errorf("read profile: %w", err)
	}
	var short strings.Builder
	for line := range strings.Lines(string(said)) {
		line = strings.TrimRight(line, "\n")
		short.WriteString(line[:min(len(line), width)] + "\n") // type parameters are written out
	}
	return short.String(), nil
}

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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/bench/world"
)

// Targets of a function's process.
const (
	maxStart  = 25 * time.Millisecond
	maxBinary = 30_000_000
	maxIdle   = 30_000_000
	starts    = 20
)

// functions are the services; migrate is a Job.
var functions = [...]string{"auth", "residences", "tasks", "site", "notifications", "sweeper", "uploads", "media", "admin"}

type start struct {
	took time.Duration
	idle int64 // resident bytes
}

// benchStarts prints a table of cold starts, binary sizes and idle memory, and returns whether all targets are met.
func benchStarts(ctx context.Context, out io.Writer, bin string) (bool, error) {
	_, _ = fmt.Fprintf(out, "From process start to listening, %d starts each; memory after its first answer, when idle\n\n", starts)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "function\tmedian\tmin\tmax\ttarget\tbinary\ttarget\tresident\ttarget\t\t")
	manifests, err := knative.Read()
	if err != nil {
		return false, fmt.Errorf("read manifests: %w", err)
	}
	met := true
	for _, name := range functions {
		program := filepath.Join(bin, name)
		info, err := os.Stat(program)
		if err != nil {
			return false, fmt.Errorf("size of %s: %w", name, err)
		}
		runs := make([]start, starts)
		for i := range runs {
			if runs[i], err = startOnce(ctx, program, world.Plain(manifests, name)); err != nil {
				return false, fmt.Errorf("start %s: %w", name, err)
			}
		}
		slices.SortFunc(runs, func(a, b start) int { return int(a.took - b.took) })
		idle := slices.MaxFunc(runs, func(a, b start) int { return int(a.idle - b.idle) }).idle
		median := runs[starts/2].took
		ok := median <= maxStart && info.Size() <= maxBinary && idle <= maxIdle
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, report.MS(median), report.MS(runs[0].took), report.MS(runs[starts-1].took),
			report.MS(maxStart), mb(info.Size()), mb(maxBinary), mb(idle), mb(maxIdle), report.Verdict(ok))
	}
	return met, table.Flush()
}

// mb is a number of bytes as the targets count them.
func mb(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// startOnce starts program with env and waits until its port takes a connection. Nothing else that it is configured with exists: a
// function connects to nothing before its first request.
func startOnce(ctx context.Context, program string, env []string) (start, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	port, err := ports.Free(ctx)
	if err != nil {
		return start{}, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = slices.Concat(env, []string{
		"PORT=" + strconv.Itoa(port), "LISTEN_HOST=127.0.0.1",
		"DATABASE_URL=postgres://nobody@127.0.0.1:1/nothing", "REDIS_URL=redis://127.0.0.1:1", "K_SINK=http://127.0.0.1:1",
		"S3_ENDPOINT=http://127.0.0.1:1", "S3_REGION=none", "S3_BUCKET=none", "S3_ACCESS_KEY=none", "S3_SECRET_KEY=none",
		"CODE_KEY=a key that derives codes for nobody", "SMTP_URL=smtp://127.0.0.1:1?tls=none", "MAIL_FROM=honeyDue <hello@example.com>",
		"ADMIN_KEY=" + strings.Repeat("0", 64), "PUBLIC_URL=http://127.0.0.1", "API_URL=http://127.0.0.1",
	})
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return start{}, fmt.Errorf("start process: %w", err)
	}
	err = connect(ctx, address)
	took := time.Since(began)
	var idle int64
	if err == nil {
		idle, err = idleMemory(ctx, cmd.Process.Pid, "http://"+address+"/healthz")
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if waited := cmd.Wait(); err == nil && waited != nil {
		err = fmt.Errorf("end of process: %w", waited)
	}
	return start{took, idle}, err
}

// connect dials until something listens.
func connect(ctx context.Context, address string) error {
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return errors.New("it does not listen")
		case <-tick.C:
		}
	}
}

// idleMemory has the process answer once and reads what it holds afterwards.
func idleMemory(ctx context.Context, pid int, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask health: %w", err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("health answered %d", res.StatusCode)
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	fields := strings.Fields(string(statm))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/bench/world"
)

// findPgbench returns pgbench's path, which comes with the server that runs. An error is a *devserver.MissingError when it is not
// installed.
func findPgbench(server int) (string, error) {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", server))
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL's programs: %w", err)
	}
	path := filepath.Join(filepath.Dir(program), "pgbench")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", &devserver.MissingError{Program: "pgbench", Package: "postgresql"}
	}
	return path, nil
}

var pgbenchRate = regexp.MustCompile(`tps = ([\d.]+) \(without initial connection time\)`)

// pgbench runs a script for that long, in the mode extended or prepared, as function tasks, with as many connections as it has.
func (b *bench) pgbench(ctx context.Context, s script, mode string, d time.Duration) (r run, err error) {
	dir, err := os.MkdirTemp(b.Dir, "pgbench-")
	if err != nil {
		return r, fmt.Errorf("make folder: %w", err)
	}
	file := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(file, []byte(s.text), 0o600); err != nil {
		return r, fmt.Errorf("write script: %w", err)
	}
	args := []string{
		"--no-vacuum", "--file=" + file, "--protocol=" + mode, "--client=" + strconv.Itoa(connections), "--jobs=1",
		"--time=" + strconv.Itoa(int(d.Seconds())), "--log", "--log-prefix=" + filepath.Join(dir, "times"),
	}
	for _, value := range s.values {
		args = append(args, "--define="+value)
	}
	cmd := exec.CommandContext(ctx, b.pgbenchPath, append(args, b.Postgres.URL(world.Role("tasks"), world.Database))...)
	cmd.Env, cmd.Dir = []string{"LC_ALL=C"}, dir
	said, err := cmd.CombinedOutput()
	if err != nil {
		return r, fmt.Errorf("run pgbench: %w: %s", err, said)
	}
	found := pgbenchRate.FindSubmatch(said)
	if found == nil || !strings.Contains(string(said), "number of failed transactions: 0 ") {
		return r, fmt.Errorf("run pgbench: it failed, or did nothing: %s", said)
	}
	r.client = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r.Times, err = readTimes(dir); err != nil {
		return r, err
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		return r, fmt.Errorf("read pgbench's rate: %w", err)
	}
	r.Took = time.Duration(float64(r.Done()) / rate * float64(time.Second))
	return r, nil
}

// readTimes returns how long each transaction took, sorted: the third column of pgbench's log, in microseconds.
func readTimes(dir string) (times []time.Duration, err error) {
	logs, err := filepath.Glob(filepath.Join(dir, "times.*"))
	if err != nil {
		return nil, fmt.Errorf("find pgbench's log: %w", err)
	}
	for _, path := range logs {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open pgbench's log: %w", err)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) < 3 {
				return nil, errors.Join(errors.New("read pgbench's log: too few fields"), file.Close())
			}
			us, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("read pgbench's log: %w", err), file.Close())
			}
			times = append(times, time.Duration(us)*time.Microsecond)
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("close pgbench's log: %w", err)
		}
	}
	slices.Sort(times)
	return times, nil
}

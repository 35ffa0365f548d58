package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
)

// A usage is how long each side's processes ran on any core.
type usage struct{ program, postgres, redis, client time.Duration }

// sub returns what was used since before.
func (u usage) sub(before usage) usage {
	return usage{u.program - before.program, u.postgres - before.postgres, u.redis - before.redis, u.client - before.client}
}

// used returns what the servers, this process and the program with that number have used so far. Number 0 is none.
func (b *bench) used(program int) (u usage, err error) {
	if program != 0 {
		if u.program, err = proc.CPU(program); err != nil {
			return u, err
		}
	}
	if u.postgres, err = family(b.Postgres.PID()); err != nil {
		return u, err
	}
	if u.redis, err = proc.CPU(b.Redis.PID()); err != nil {
		return u, err
	}
	u.client, err = proc.CPU(os.Getpid())
	return u, err
}

// measured runs a side whose program has that number, 0 for none, and says what it took of the machine. A client that is a process of
// its own says so itself.
func (b *bench) measured(program int, side func() (run, error)) (run, error) {
	before, err := b.used(program)
	if err != nil {
		return run{}, err
	}
	if b.watch != nil {
		b.watch(program)
	}
	r, err := side()
	if err != nil {
		return run{}, err
	}
	own := r.client
	after, err := b.used(program)
	r.usage = after.sub(before)
	if own != 0 {
		r.client = own
	}
	return r, err
}

// family returns what a process, its children, and those of them that have ended used.
func family(pid int) (time.Duration, error) {
	sum, err := proc.CPU(pid)
	if err != nil {
		return 0, err
	}
	ended, err := endedChildren(pid)
	if err != nil {
		return 0, err
	}
	sum += ended
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("read children: %w", err)
	}
	for child := range strings.FieldsSeq(string(children)) {
		n, err := strconv.Atoi(child)
		if err != nil {
			return 0, fmt.Errorf("read children: %w", err)
		}
		// One that has ended meanwhile was hardly at work.
		if cpu, err := proc.CPU(n); err == nil {
			sum += cpu
		}
	}
	return sum, nil
}

// endedChildren returns what the children used that a process has waited for, fields 16 and 17 of proc(5).
func endedChildren(pid int) (time.Duration, error) {
	const tick = time.Second / 100
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var sum time.Duration
	for _, field := range fields[13:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

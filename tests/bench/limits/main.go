// Command limits measures how near functions come to what the machine can do: creating a task and the board from the database beside
// pgbench with the very statements, the board from the cache beside a handler that does nothing else, login beside the password hash
// alone. Both sides take turns on the same machine, so that their ratio counts and not its speed. It prints tables, with the target
// beside each figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/bench/world"
)

// connections is how many a function keeps to its database, unless it is told otherwise, and so how many callers there are at once.
const connections = 4

// Shares of the limit's rate that are enough, and how many times its p99 is.
const (
	leastCreate  = 0.5
	wantedCreate = 0.7
	slowCreate   = 2
	leastCached  = 0.8
	leastBoard   = 0.6
	leastLogin   = 0.95
)

// A bench is a world with its measure.
type bench struct {
	*world.World

	rounds      int
	each        time.Duration // one side, in one round
	pgbenchPath string
	watch       func(program int) // told of the program when its side begins; nil when nobody watches
}

func main() {
	b := &bench{}
	flag.IntVar(&b.rounds, "rounds", 3, "how often the sides take turns")
	flag.DurationVar(&b.each, "each", 10*time.Second, "how long a side has each time, in whole seconds")
	flag.Parse()
	report.Main("limits", b.run)
}

func (b *bench) run(ctx context.Context, out io.Writer) (met bool, err error) {
	if b.World, err = world.Open(ctx, "tasks", "auth"); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if b.pgbenchPath, err = findPgbench(b.Postgres.PID()); err != nil {
		return false, err
	}
	if err := buildBare(ctx, b.Dir); err != nil {
		return false, err
	}
	if err := b.settle(ctx); err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(out, "%d homes of two people, with %d tasks each. Function, PostgreSQL (durable), Redis, client and the broker's stub, which is in the client,\n"+
		"share %d cores; GOMAXPROCS is %d for all programs in Go. %d callers at once ask again as soon as they are answered; %d connections to the\n"+
		"database on either side; %d rounds of %s a side, in turns. A side's program is the function or the bare handler; its client is this one,\n"+
		"or pgbench with one thread.\n",
		homes, tasksAHome, runtime.NumCPU(), runtime.GOMAXPROCS(0), connections, connections, b.rounds, b.each)
	var all []outcome
	for _, contests := range []func(context.Context, io.Writer) ([]outcome, error){b.cached, b.boards, b.creations, b.logins} {
		held, err := contests(ctx, out)
		if err != nil {
			return false, err
		}
		all = append(all, held...)
	}
	return verdicts(out, all)
}

// processors is the variable that gives a program as many threads as this one has.
func processors() string { return "GOMAXPROCS=" + strconv.Itoa(runtime.GOMAXPROCS(0)) }

// buildBare builds the handler that function tasks stands beside.
func buildBare(ctx context.Context, dir string) error {
	root, err := devserver.Workspace()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "bare"), "./tests/bench/limits/bare")
	cmd.Dir, cmd.Stderr, cmd.Env = root, os.Stderr, append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build bare handler: %w", err)
	}
	return nil
}

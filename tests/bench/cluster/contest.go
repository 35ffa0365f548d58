package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/cluster/node"
)

// A side asks for one thing by one way, in its turns.
type side struct {
	what string
	way  way
	call call
	runs []run
}

// The sides of a contest.
type sides struct{ board, boardSidecar, boardAlone, lookups, lookupsAlone, empty, emptyAlone *side }

func (s sides) all() []*side {
	return []*side{s.board, s.boardSidecar, s.boardAlone, s.lookups, s.lookupsAlone, s.empty, s.emptyAlone}
}

// contest has all ways to the two warm pods take turns, and compares them.
func (o options) contest(ctx context.Context, out io.Writer, c *cluster.Cluster) (met bool, err error) {
	defer func() { err = errors.Join(err, removeWarm(context.WithoutCancel(ctx), c)) }()
	tasks, empty, err := deployWarm(ctx, c)
	if err != nil {
		return false, fmt.Errorf("deploy warm services: %w", err)
	}
	board, lookups, err := calls(ctx, c)
	if err != nil {
		return false, fmt.Errorf("make a person: %w", err)
	}
	// What made the person goes back to sleep, so that nobody else uses the machine.
	if err := c.AwaitZero(ctx, c.Functions()...); err != nil {
		return false, err
	}
	nothing := call{path: "/", empty: true}
	s := sides{
		board:        &side{what: "board", way: tasks.through(c), call: board},
		boardSidecar: &side{what: "board", way: tasks.sidecar(), call: board},
		boardAlone:   &side{what: "board", way: tasks.alone(), call: board},
		lookups:      &side{what: "look-ups", way: tasks.through(c), call: lookups},
		lookupsAlone: &side{what: "look-ups", way: tasks.alone(), call: lookups},
		empty:        &side{what: "empty service", way: empty.through(c), call: nothing},
		emptyAlone:   &side{what: "empty service", way: empty.alone(), call: nothing},
	}
	if err := o.hold(ctx, s.all(), partOf(c, tasks, empty)); err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(out, "Ways to a warm pod: a board of %d tasks from the cache, the lists to choose from, and an empty service with the manifest of tasks.\n"+
		"%d callers at once ask again as soon as they are answered; every way leads to the same pod; %d rounds of %s a way, in turns.\n"+
		"Pod, Traefik, Knative, Redis, PostgreSQL and client share %d cores. CPU is that of each answer, medians of the rounds.\n\n",
		tasksAHome, callers, o.rounds, o.each, runtime.NumCPU())
	if err := printSides(out, s.all()); err != nil {
		return false, err
	}
	return s.verdicts(out)
}

// hold lets the sides take turns, so that a machine in another mood is so for all.
func (o options) hold(ctx context.Context, all []*side, part func(node.Process) string) error {
	for range o.rounds {
		for _, s := range all {
			if s.call.path == boardPath {
				if err := s.way.keep(ctx, s.call); err != nil {
					return err
				}
			}
			before, err := node.Processes()
			if err != nil {
				return err
			}
			r, err := s.way.during(ctx, s.call, o.each)
			if err != nil {
				return fmt.Errorf("%s: %w", s.what, err)
			}
			after, err := node.Processes()
			if err != nil {
				return err
			}
			r.used = node.Spent(before, after, part)
			if r.used[program] == 0 {
				return fmt.Errorf("%s by %s: the pod's processes are not to be found", s.what, s.way.name)
			}
			s.runs = append(s.runs, r)
		}
	}
	return nil
}

// What takes part in an answer. All else that the node does goes on beside it and is not counted.
const (
	program    = "program"
	sidecar    = "queue-proxy"
	activator  = "activator"
	traefik    = "Traefik"
	redis      = "Redis"
	postgresql = "PostgreSQL"
	caller     = "client"
)

var parts = [...]string{program, sidecar, activator, traefik, redis, postgresql, caller}

// partOf returns what says which part a process is.
func partOf(c *cluster.Cluster, services ...warm) func(node.Process) string {
	containers := map[string]string{}
	for _, w := range services {
		own, beside := w.pod.Containers()
		containers[own], containers[beside] = program, sidecar
	}
	inPods := map[string]string{"/traefik": traefik, "/activator": activator}
	return func(p node.Process) string {
		switch {
		case p.Container != "" && containers[p.Container] != "":
			return containers[p.Container]
		case p.Container != "":
			return inPods[p.Path]
		case p.Family(c.Redis.PID()):
			return redis
		case p.Family(c.Postgres.PID()), p.Family(c.PgBouncer.PID()):
			return postgresql
		case p.PID == os.Getpid():
			return caller
		}
		return ""
	}
}

package main

import (
	"context"
	"time"

	"github.com/honeydue/backend/tests/cluster/node"
)

// Looks at the processes, and at their memory, which is more work.
const (
	glance      = time.Second
	memoryEvery = 10 // glances
)

// A spell is some time and what was spent in it.
type spell struct {
	took  time.Duration
	spent map[part]time.Duration
}

func (s *spell) add(took time.Duration, spent map[part]time.Duration) {
	s.took += took
	for p, d := range spent {
		s.spent[p] += d
	}
}

// cores is how many cores were at work on average for what counts.
func (s *spell) cores(counts func(part) bool) float64 {
	var sum time.Duration
	for p, d := range s.spent {
		if counts(p) {
			sum += d
		}
	}
	if s.took == 0 {
		return 0
	}
	return sum.Seconds() / s.took.Seconds()
}

// A stay is a pod of a function, from when it was first seen to when it was seen last.
type stay struct {
	function    string
	first, last time.Time
}

// watched is what was seen.
type watched struct {
	b *bench

	all, calm spell // calm are the seconds in which no function had a pod
	memory    map[part]int64
	looks     int              // at memory
	processes map[part]int     // at the last look at memory
	stays     map[string]*stay // by the pod's uid
	awake     int              // processes of functions at the last glance, sidecars included
}

func (b *bench) watch() *watched {
	return &watched{
		b: b, all: spell{spent: map[part]time.Duration{}}, calm: spell{spent: map[part]time.Duration{}},
		memory: map[part]int64{}, processes: map[part]int{}, stays: map[string]*stay{},
	}
}

// until looks at all processes each second until enough says so.
func (w *watched) until(ctx context.Context, enough func() bool) error {
	ticks := time.NewTicker(glance)
	defer ticks.Stop()
	before, at := []node.Process(nil), time.Time{}
	for n := 0; ; n++ {
		now, err := node.Processes()
		if err != nil {
			return err
		}
		wasAwake := w.awake
		w.see(now, time.Now())
		if before != nil {
			spent := node.Spent(before, now, w.b.partOf)
			w.all.add(time.Since(at), spent)
			if wasAwake+w.awake == 0 {
				w.calm.add(time.Since(at), spent)
			}
		}
		before, at = now, time.Now()
		if n%memoryEvery == 0 {
			if err := w.weigh(now); err != nil {
				return err
			}
		}
		if before != nil && n > 0 && enough() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
	}
}

// see remembers which pods of functions there are.
func (w *watched) see(now []node.Process, at time.Time) {
	w.awake = 0
	for _, p := range now {
		is := w.b.partOf(p)
		if is.group != functions {
			continue
		}
		w.awake++
		if is.name == sidecar {
			continue
		}
		if w.stays[p.Pod] == nil {
			w.stays[p.Pod] = &stay{function: is.name, first: at}
		}
		w.stays[p.Pod].last = at
	}
}

// saw returns whether a pod of that function was there.
func (w *watched) saw(function string) bool {
	for _, s := range w.stays {
		if s.function == function {
			return true
		}
	}
	return false
}

// weigh adds a look at what all hold.
func (w *watched) weigh(now []node.Process) error {
	w.looks++
	clear(w.processes)
	for _, p := range now {
		is := w.b.partOf(p)
		if is.group == "" {
			continue
		}
		bytes, err := node.Memory(p.PID)
		if err != nil {
			return err
		}
		w.memory[is] += bytes
		w.processes[is]++
	}
	return nil
}

// holds is how much memory a part held on average.
func (w *watched) holds(p part) int64 { return w.memory[p] / int64(max(1, w.looks)) }

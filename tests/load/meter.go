package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
)

// A usage is what the function's processes took of the machine, all together.
type usage struct {
	cpu          time.Duration
	before, peak int64 // bytes
	processes    int
}

// A meter remembers where its processes stood.
type meter struct {
	at     *Site
	cpu    map[int]time.Duration
	before int64
}

// meter begins to measure.
func (at *Site) meter() (*meter, error) {
	pids, err := at.pids()
	if err != nil {
		return nil, err
	}
	m := &meter{at: at, cpu: map[int]time.Duration{}}
	for _, pid := range pids {
		if m.cpu[pid], err = proc.CPU(pid); err != nil {
			return nil, err
		}
		memory, err := proc.Memory(pid)
		if err != nil {
			return nil, err
		}
		m.before += memory
	}
	return m, nil
}

// read returns what was used since. A process that came meanwhile counts from its start; one that went is not counted.
func (m *meter) read() (u usage, err error) {
	pids, err := m.at.pids()
	if err != nil {
		return u, err
	}
	u.before, u.processes = m.before, len(pids)
	for _, pid := range pids {
		cpu, err := proc.CPU(pid)
		if err != nil {
			return u, err
		}
		memory, err := proc.Memory(pid)
		if err != nil {
			return u, err
		}
		u.cpu += cpu - m.cpu[pid]
		u.peak += memory
	}
	u.peak = max(u.peak, u.before) // the kernel counts in batches, and may tell a little less than a moment ago
	return u, nil
}

// fromPods finds the function's processes in pods, which run on this machine: the images that ko builds have a program there.
func (at *Site) fromPods() ([]int, error) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, fmt.Errorf("find processes: %w", err)
	}
	var pids []int
	for _, path := range lines {
		line, err := os.ReadFile(path)
		program, _, _ := strings.Cut(string(line), "\x00")
		if err != nil || program != "/ko-app/"+at.function {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, fmt.Errorf("find processes: %w", err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
	"github.com/honeydue/backend/tests/bench/report"
)

// A usage is what the function's processes took of the machine, all together.
type usage struct {
	cpu          time.Duration
	before, peak int64 // bytes: at the beginning, and the most that was held since
	foreign      bool  // the memory is not ours to look at
	processes    int
}

// A meter remembers where its processes stood.
type meter struct {
	at    *Site
	began usage
	cpu   map[int]time.Duration
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
		memory, err := proc.FromHere(pid)
		if errors.Is(err, fs.ErrPermission) {
			m.began.foreign = true
			continue
		}
		if err != nil {
			return nil, err
		}
		m.began.before += memory
	}
	return m, nil
}

// read returns what was used since. A process that came meanwhile counts from its start; one that went is not counted.
func (m *meter) read() (u usage, err error) {
	pids, err := m.at.pids()
	if err != nil {
		return u, err
	}
	u = m.began
	u.processes = len(pids)
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

// memory says what was held while so many requests were under way, or waited to be.
func (u usage) memory(underWay float64) string {
	if u.foreign {
		return "memory not known, since its processes belong to another user"
	}
	return fmt.Sprintf("memory %s before, %s at most, %.1f KiB more for each of the %.1f requests that waited or were under way",
		report.MiB(u.before), report.MiB(u.peak), float64(u.peak-u.before)/1024/underWay, underWay)
}

// Package node looks at the processes of this machine, which is the cluster's one node: whose they are, how long they have run and what
// they hold. It asks nobody in the cluster, so that looking wakes nothing there.
package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
)

// A Process is one of this machine.
type Process struct {
	PID, Parent int
	Program     string        // what it was started as, without its folder
	Path        string        // with it
	Argument    string        // the first one, if there is any
	Pod         string        // the pod's uid; empty for what runs beside the cluster's pods
	Container   string        // its id
	CPU         time.Duration // on any core so far
}

// Processes returns all of this machine that have a command line; the kernel's own have none.
func Processes() ([]Process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []Process
	for _, file := range files {
		p, err := read(filepath.Dir(file))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		if p.Path != "" {
			all = append(all, p)
		}
	}
	return all, nil
}

func read(dir string) (p Process, err error) {
	if p.PID, err = strconv.Atoi(filepath.Base(dir)); err != nil {
		return p, fmt.Errorf("read process: %w", err)
	}
	line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return p, fmt.Errorf("read command line: %w", err)
	}
	p.Path, p.Argument = commandLine(string(line))
	p.Program = filepath.Base(p.Path)
	groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return p, fmt.Errorf("read control groups: %w", err)
	}
	p.Pod, p.Container = container(groups)
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return p, fmt.Errorf("read parent: %w", err)
	}
	if p.Parent, err = parent(stat); err != nil {
		return p, err
	}
	p.CPU, err = proc.CPU(p.PID)
	return p, err
}

// commandLine returns the program and its first argument. Some programs write what they do there, with words behind the program.
func commandLine(line string) (path, argument string) {
	path, rest, _ := strings.Cut(line, "\x00")
	argument, _, _ = strings.Cut(rest, "\x00")
	path, _, _ = strings.Cut(path, " ")
	return strings.TrimSuffix(path, ":"), argument
}

// inPod is the control group of a container, as the kubelet names it with the driver cgroupfs.
var inPod = regexp.MustCompile(`/pod([0-9a-f-]{36})/([0-9a-f]{64})`)

// container returns the pod and the container of a process, if it is in one.
func container(groups []byte) (pod, id string) {
	found := inPod.FindSubmatch(groups)
	if found == nil {
		return "", ""
	}
	return string(found[1]), string(found[2])
}

// parent is field 4 of proc(5)'s stat, the second one behind the name in brackets.
func parent(stat []byte) (int, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0, errors.New("read parent: too few fields")
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, fmt.Errorf("read parent: %w", err)
	}
	return n, nil
}

// Memory returns the bytes that a process holds, with its part of what it shares with others: the sum over processes is what they take
// of the machine. Of one that has ended it returns none.
func Memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, nil // it is ending
}

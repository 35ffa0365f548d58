package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A Holding is what a process holds at this moment.
type Holding struct {
	Resident int64 // bytes of memory
	Threads  int
	Files    int // descriptors that are open, sockets among them
}

// Holds returns what the process holds. Of one that has ended the error is an fs.ErrNotExist.
func Holds(pid int) (h Holding, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return h, fmt.Errorf("read what process holds: %w", err)
	}
	resident, err := field(string(status), "VmRSS:")
	if err != nil {
		return h, err
	}
	threads, err := field(string(status), "Threads:")
	if err != nil {
		return h, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return h, fmt.Errorf("count files of process: %w", err)
	}
	return Holding{Resident: resident << 10, Threads: int(threads), Files: len(files)}, nil
}

// field returns the number on the line of that name. One in KiB has the unit behind it. A process that is ending has lost some lines.
func field(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", name, err)
		}
		return n, nil
	}
	return 0, errors.Join(fmt.Errorf("read %s: there is no such line", name), os.ErrNotExist)
}

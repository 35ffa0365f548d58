package timing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// loaded is when this package was initialised: after the kernel made the process, read its program and the Go runtime started.
var loaded = time.Now()

// born returns when the process began: when the kernel made it, to within 10 ms, or on other systems than Linux when its packages
// were initialised. The kernel's time is the honest one where processors are scarce, as reading the program and starting the runtime
// come before any package and may take as long as all the rest. In a container it counts what the container's runtime does in the
// process before it becomes the program.
func born() time.Time {
	old, err := age()
	made := time.Now().Add(-old)
	if err != nil || made.After(loaded) {
		return loaded
	}
	return made
}

// tick is the step in which Linux tells when a process started, on every architecture that Go compiles for.
const tick = 10 * time.Millisecond

// age returns how old the process is by the word of the Linux kernel.
func age() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, fmt.Errorf("read when the process started: %w", err)
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, fmt.Errorf("read how long the machine runs: %w", err)
	}
	return ageBy(stat, uptime)
}

// ageBy returns how old the process is that the line stat of proc(5) describes, on a machine with that line of its uptime.
func ageBy(stat, uptime []byte) (time.Duration, error) {
	// The second field is the program's name in parentheses, which may hold anything; the 22nd is the start, in ticks since the
	// machine's.
	const started, name = 22, 2
	fields, runs := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]), bytes.Fields(uptime)
	if len(fields) < started-name || len(runs) == 0 {
		return 0, errors.New("the kernel says less of processes than it used to")
	}
	ticks, err := strconv.ParseInt(string(fields[started-name-1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read when the process started: %w", err)
	}
	up, err := time.ParseDuration(string(runs[0]) + "s")
	if err != nil {
		return 0, fmt.Errorf("read how long the machine runs: %w", err)
	}
	return up - time.Duration(ticks)*tick, nil
}

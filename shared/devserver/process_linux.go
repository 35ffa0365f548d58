package devserver

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// attributes make a child run as the account, outside our process group (a Ctrl-C in the terminal is ours to
// answer), and get the signal when we die.
func attributes(as *account, onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath, Credential: as.credential()}
}

// children returns the processes whose parent is pid.
func children(pid int) []int {
	var found []int
	for _, candidate := range processes() {
		if _, parent := status(candidate); parent == pid {
			found = append(found, candidate)
		}
	}
	return found
}

// leftovers returns the processes of an earlier run: they execute the program and have the folder in their
// arguments. Its owner cannot have been us.
func leftovers(program, folder string) []int {
	var found []int
	for _, pid := range processes() {
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil {
			continue
		}
		args := strings.Split(string(line), "\x00")
		names := func(arg string) bool { return arg == folder || strings.HasPrefix(arg, folder+"/") }
		if args[0] == program && slices.ContainsFunc(args[1:], names) {
			found = append(found, pid)
		}
	}
	return found
}

// gone says whether a process has ended. One that nobody has waited for yet, a zombie, has.
func gone(pid int) bool {
	state, _ := status(pid)
	return state == "" || state == "Z" || state == "X"
}

// processes returns the ids of all processes.
func processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// status returns a process's state letter, as in proc(5), and its parent; "" and 0 when there is none.
func status(pid int) (string, int) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", 0
	}
	// The program's name comes before, in brackets, and may itself hold spaces and brackets.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return "", 0
	}
	return fields[0], parent
}

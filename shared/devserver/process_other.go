//go:build unix && !linux

package devserver

import (
	"errors"
	"syscall"
)

// attributes make a child run as the account, outside our process group. Only Linux tells a child of our death.
func attributes(as *account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: as.credential()}
}

// children returns nothing: only Linux has /proc.
func children(int) []int { return nil }

// leftovers returns nothing: only Linux has /proc.
func leftovers(string, string) []int { return nil }

// gone says whether a process has ended.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

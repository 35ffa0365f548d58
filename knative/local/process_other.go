//go:build unix && !linux

package local

import "syscall"

// attributes put a child outside our process group, since a Ctrl-C in the terminal is ours to answer.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

package local

import "syscall"

// attributes put a child outside our process group, since a Ctrl-C in the terminal is ours to answer, and end
// it when we die without having stopped it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

package devserver

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	// poll is how often we look again at something that is about to happen.
	poll = 10 * time.Millisecond

	// killTimeout bounds how long the kernel takes to end a process.
	killTimeout = 10 * time.Second
)

// A process is a child of ours that has been started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the process is gone and cmd.ProcessState is set
}

// start runs cmd on a thread of its own that lives as long as the child: the kernel tells a child of its
// parent's death when the thread that started it ends.
func start(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// Never unlocked, so that the thread ends with the goroutine.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		// The process's state tells all that the error does.
		_ = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// running says whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// pause stops the process and its children in their tracks.
func (p *process) pause() {
	// The parent first, since a stopped one cannot fork any more.
	signal(syscall.SIGSTOP, p.pid())
	signal(syscall.SIGSTOP, children(p.pid())...)
}

// resume lets the process and its children go on.
func (p *process) resume() {
	signal(syscall.SIGCONT, children(p.pid())...)
	signal(syscall.SIGCONT, p.pid())
}

// kill ends the process and its children without a chance to tidy up, and waits until they are gone.
func (p *process) kill() error {
	if !p.running() {
		return nil
	}
	err := killTree(p.pid())
	<-p.done
	return err
}

// killTree kills processes and their children, and returns when they are gone. PostgreSQL's children outlive it
// for a moment, and nobody may start on their data meanwhile.
func killTree(pids ...int) error {
	family := pids
	for _, pid := range pids {
		signal(syscall.SIGSTOP, pid)
		family = append(family, children(pid)...)
	}
	signal(syscall.SIGKILL, family...)
	// No caller's cancellation may leave one behind.
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	for _, pid := range family {
		for !gone(pid) {
			if wait(ctx, poll) != nil {
				return fmt.Errorf("kill process %d: still there after %s", pid, killTimeout)
			}
		}
	}
	return nil
}

// signal sends sig to every process; one that has just ended needs none.
func signal(sig syscall.Signal, pids ...int) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig)
	}
}

// wait returns nil after d, or an error when ctx ends before that.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

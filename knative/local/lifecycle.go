package local

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// watch follows a process to its end. One that ends by itself leaves nothing: the next request starts another.
func (f *function) watch(p *process) {
	select {
	case <-p.ready:
		f.mu.Lock()
		f.cold, f.failure = p.cold, ""
		f.mu.Unlock()
	case <-p.ended:
	}
	<-p.ended
	expected := p.asked.Load() || f.stopping.Err() != nil
	if !expected {
		f.mu.Lock()
		f.failure = p.failure()
		f.mu.Unlock()
	}
	f.forget(p) // last: whoever sees it at zero sees why
	if expected {
		return
	}
	f.log.Warn("program ended by itself", "error", p.failure(), "log", f.logs.file.Name())
	if f.MinScale > 0 {
		f.restart()
	}
}

// restart brings a process back that is meant to stay, a second later, lest a broken one spins.
func (f *function) restart() {
	select {
	case <-time.After(time.Second):
	case <-f.stopping.Done():
		return
	}
	if _, err := f.get(); err != nil && !errors.Is(err, errStopped) {
		f.log.Error("program does not start", "error", err)
	}
}

// sleep stops the process when nothing has come in meanwhile.
func (f *function) sleep() {
	f.mu.Lock()
	p := f.current
	if p == nil || f.requests > 0 || f.stopping.Err() != nil {
		f.mu.Unlock()
		return
	}
	f.current = nil
	f.working.Add(1)
	f.mu.Unlock()
	defer f.working.Done()
	if err := p.stop(context.Background()); err != nil {
		f.log.Warn("program was idle", "error", err)
	}
}

// kill ends every process at once, as a crash would, and reports whether one ran.
func (f *function) kill() bool {
	f.mu.Lock()
	var all []*process
	for p := range f.processes {
		all = append(all, p)
	}
	f.mu.Unlock()
	for _, p := range all {
		p.signal(syscall.SIGKILL)
	}
	for _, p := range all {
		<-p.ended
		f.forget(p)
	}
	return len(all) > 0
}

// forget takes a process that has ended off the books, if it still stands there.
func (f *function) forget(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.processes, p)
	if f.current == p {
		f.current = nil
	}
}

// stop ends all processes in their orderly way, or by force when ctx ends first, and takes no more requests.
func (f *function) stop(ctx context.Context) {
	f.mu.Lock()
	f.stopped()
	p := f.current
	f.mu.Unlock()
	if p != nil {
		if err := p.stop(ctx); err != nil {
			f.log.WarnContext(ctx, "system is stopping", "error", err)
		}
	}
	force := context.AfterFunc(ctx, func() { f.kill() })
	defer force()
	f.working.Wait()
}

// taken says whether somebody listens at host.
func taken(host string) bool {
	l, err := net.Listen("tcp", host) //nolint:noctx // returns at once
	if err != nil {
		return true
	}
	_ = l.Close()
	return false
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

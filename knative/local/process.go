package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/honeydue/backend/shared/devserver/ports"
)

const (
	pollInterval = time.Millisecond
	startTimeout = 30 * time.Second // what the manifests' start-up probes allow
	stopTimeout  = 30 * time.Second // from SIGTERM to SIGKILL, as a pod gets
)

// A process is one run of a function's program. It is never started twice.
type process struct {
	cmd   *exec.Cmd
	host  string // host:port on the loopback address
	begun time.Time

	ready chan struct{} // closed when the program answers its probe
	ended chan struct{} // closed when it is gone
	cold  time.Duration // from start to listening; to be read once it is ready
	err   error         // why it ended; to be read once it has
	asked atomic.Bool   // to end
	late  atomic.Bool   // it was not ready in time, and killed
}

// startProcess runs a program that shall listen on a free port.
func startProcess(program string, env []string, logs io.Writer) (*process, error) {
	port, err := ports.Free(context.Background())
	if err != nil {
		return nil, err
	}
	p := &process{
		cmd:   exec.Command(program), //nolint:noctx // built by us; it ends by signals, not with a context
		host:  net.JoinHostPort(loopback, strconv.Itoa(port)),
		ready: make(chan struct{}),
		ended: make(chan struct{}),
	}
	p.cmd.Env = append(slices.Clone(env), "LISTEN_HOST="+loopback, "PORT="+strconv.Itoa(port))
	p.cmd.Stdout, p.cmd.Stderr = logs, logs
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = attributes()
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go p.probe()
	return p, nil
}

// run owns the child from its start to its end, on a thread of its own: the signal that a child gets when its
// parent dies is sent when the thread that started it ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.begun = time.Now()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// probe asks until the program answers, as Knative's queue-proxy does, and ends what does not start.
func (p *process) probe() {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	again := time.NewTicker(pollInterval)
	defer again.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	for {
		conn, err := net.DialTimeout("tcp", p.host, time.Second) //nolint:noctx // has a deadline
		if err == nil {
			_ = conn.Close()
			if p.cold == 0 {
				p.cold = time.Since(p.begun)
			}
			if healthy(client, p.host) {
				close(p.ready)
				return
			}
		}
		select {
		case <-p.ended:
			return
		case <-deadline.C:
			p.late.Store(true)
			p.signal(syscall.SIGKILL)
			return
		case <-again.C:
		}
	}
}

func healthy(client *http.Client, host string) bool {
	res, err := client.Get("http://" + host + "/healthz") //nolint:noctx // the client has a deadline
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// failure says why a program ended that nobody asked to. To be called once it has ended.
func (p *process) failure() string {
	switch {
	case p.late.Load():
		return "not ready within " + startTimeout.String()
	case p.err == nil:
		return "exit status 0"
	}
	return p.err.Error()
}

// stop asks the program to end and makes it when it does not. It returns when the program is gone; an error
// says that it had to be killed.
func (p *process) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	p.asked.Store(true)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		p.kill()
		return errors.New("killed: it did not end on SIGTERM")
	}
}

// kill ends the program as a crash would, and returns when it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// signal reaches the program and whatever it started; one that has ended gets none.
func (p *process) signal(s syscall.Signal) {
	if !isClosed(p.ended) {
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

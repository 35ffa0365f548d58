package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/honeydue/backend/shared/devserver/ports"
)

// A process is what sends mails: the function, or a worker of a queue. Its log goes to a file.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	ends io.Closer // the worker's standard input, at whose end it ends; nil for a function
	url  string    // of the function
	took time.Duration
}

// launch makes the process of a program that has this environment and no other, and whose log goes to name in dir.
func launch(ctx context.Context, dir, name string, env []string, program string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	p := &process{cmd: exec.CommandContext(ctx, program, args...), log: log}
	p.cmd.Env, p.cmd.Stderr = env, log
	return p, nil
}

// startFunction starts a function and returns once it listens.
func startFunction(ctx context.Context, dir, name string, env []string) (*process, error) {
	port, err := ports.Free(ctx)
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p, err := launch(ctx, dir, name, append(env, "PORT="+strconv.Itoa(port)), filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	p.url = "http://" + address + "/"
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), p.log.Close())
	}
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			p.took = time.Since(began)
			return p, conn.Close()
		}
		if time.Since(began) > 10*time.Second || wait(ctx, 200*time.Microsecond) != nil {
			return nil, errors.Join(fmt.Errorf("%s does not listen; its log is %s", name, p.log.Name()), p.stop())
		}
	}
}

// startWorker starts this program as a worker and returns once it takes jobs.
func startWorker(ctx context.Context, dir, name string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	p, err := launch(ctx, dir, name, []string{}, self, args...)
	if err != nil {
		return nil, err
	}
	input, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open input of %s: %w", name, err)
	}
	p.ends = input
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open output of %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), p.log.Close())
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); line != ready {
		text, _ := os.ReadFile(p.log.Name())
		return nil, errors.Join(fmt.Errorf("%s does not start: %s", name, text), err, p.stop())
	}
	return p, nil
}

// stop lets the process end what it has begun.
func (p *process) stop() error {
	if p.ends != nil {
		_ = p.ends.Close()
	} else {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	if err := errors.Join(p.cmd.Wait(), p.log.Close()); err != nil {
		return fmt.Errorf("end %s: %w", filepath.Base(p.log.Name()), err)
	}
	return nil
}

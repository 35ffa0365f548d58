package devserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/honeydue/backend/shared/devserver/ports"
)

// own takes the folder for this process, and ends what still runs there from one that was killed.
func (s *Server) own(ctx context.Context) error {
	if s.lock == nil {
		lock, err := os.OpenFile(filepath.Join(s.dir, s.name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("lock folder: %w", err)
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			_ = lock.Close()
			return fmt.Errorf("lock folder %s: another run of %s uses it: %w", s.dir, s.name, err)
		}
		s.lock = lock
	}
	err := killTree(leftovers(s.program, s.folder)...)
	if err == nil {
		err = s.repair(ctx)
	}
	if err != nil {
		s.disown()
	}
	return err
}

// disown gives the folder back.
func (s *Server) disown() {
	s.process = nil
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
}

// launch starts the program once and waits until it answers. It returns errTaken when trying again may help.
func (s *Server) launch(ctx context.Context, port int) error {
	if port == 0 {
		var err error
		if port, err = ports.Free(ctx); err != nil {
			return err
		}
	}
	args, err := s.command(port)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = log.Close() }()
	before, err := log.Stat()
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}

	// ctx bounds the start, not the server's life.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.program, args...)
	cmd.Dir, cmd.Env = s.folder, append(environment(), s.secrets...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(s.as, s.onDeath)
	child, err := start(cmd)
	if err != nil {
		return err
	}
	err = s.await(ctx, child, port)
	said := readFrom(log, before.Size())
	// C's words, or Go's without the capital.
	if err == nil && strings.Contains(said, "annot assign requested address") {
		err = errElsewhere
	}
	taken := strings.Contains(said, "ddress already in use") || strings.Contains(said, "is still in use")
	if err != nil || taken {
		if err := child.kill(); err != nil {
			return err
		}
		if taken {
			return fmt.Errorf("port %d: %w", port, errTaken)
		}
		const most = 2 << 10
		return fmt.Errorf("%w; it said:\n%s", err, said[max(0, len(said)-most):])
	}
	s.process = child
	if s.port == 0 {
		s.port = port
	}
	return nil
}

// await returns nil once the server answers, and an error when it ends or ctx does before that.
func (s *Server) await(ctx context.Context, child *process, port int) error {
	for {
		probeCtx, cancel := context.WithTimeout(ctx, probeTimeout)
		err := s.probe(probeCtx, port, child.pid())
		cancel()
		if err == nil {
			return nil
		}
		if !child.running() {
			return fmt.Errorf("ended early: %s", child.cmd.ProcessState)
		}
		if waitErr := wait(ctx, poll); waitErr != nil {
			return fmt.Errorf("not ready: %w: %w", waitErr, err)
		}
	}
}

// environment is all that a server sees of ours: no PGPORT, no language.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// readFrom returns what the log holds from offset on.
func readFrom(log *os.File, offset int64) string {
	info, err := log.Stat()
	if err != nil {
		return ""
	}
	text := make([]byte, max(0, info.Size()-offset))
	n, _ := log.ReadAt(text, offset)
	return strings.TrimSpace(string(text[:n]))
}

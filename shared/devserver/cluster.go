package devserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// makeCluster runs initdb unless the folder holds a cluster. It works beside the folder, so that one that was
// interrupted is never taken for a cluster.
func (p *Postgres) makeCluster(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.folder, "PG_VERSION")); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read cluster: %w", err)
	}
	initdb, err := initdbProgram.find(installed)
	if err != nil {
		return err
	}
	made := p.folder + ".new"
	if err := os.RemoveAll(made); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if made, err = p.as.makeFolder(made); err != nil {
		return err
	}
	log, err := os.OpenFile(p.Log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	defer func() { _ = log.Close() }()

	args := []string{"--pgdata=" + made, "--username=" + Owner, "--auth=trust", "--encoding=UTF8", "--locale=C"}
	if !p.durable {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), initdb, args...)
	cmd.Dir, cmd.Env = made, environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(p.as, syscall.SIGKILL)
	child, err := start(cmd)
	if err != nil {
		return err
	}
	select {
	case <-child.done:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("make cluster: %w", ctx.Err()), child.kill())
	}
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("make cluster: initdb: %s, see %s", cmd.ProcessState, p.Log())
	}
	// Our own folder is empty until now; any other is kept, and an error.
	if err := os.Remove(p.folder); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if err := os.Rename(made, p.folder); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	return nil
}

// dropStaleLock removes the lock of a server that was killed, when its process id belongs to somebody else by
// now. PostgreSQL sees to every other stale lock, and to memory that is still shared, by itself.
func (p *Postgres) dropStaleLock() error {
	path := filepath.Join(p.folder, "postmaster.pid")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read lock of cluster: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("drop lock of cluster: %w", err)
	}
	return nil
}

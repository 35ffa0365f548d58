package devserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

const (
	s3Name   = "versitygw"
	s3Source = "github.com/versity/versitygw/cmd/versitygw"
)

// Workspace returns the folder that holds go.work, the working folder or one above it.
func Workspace() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find workspace: %w", err)
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		_, err := os.Stat(filepath.Join(folder, "go.work"))
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find workspace: %w", err)
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("find workspace: no go.work above %s", start)
		}
	}
}

// BuildS3 returns the path of the S3 server's program, bin/versitygw of the workspace. No Debian package has it, so it
// is built when it is missing or older than tools/go.mod, which names its version. That needs the Go module proxy, or
// its modules in the cache. Any number of processes may ask for it at once.
func BuildS3(ctx context.Context) (string, error) {
	root, err := Workspace()
	if err != nil {
		return "", err
	}
	return build(ctx, filepath.Join(root, "tools"), filepath.Join(root, "bin", s3Name), s3Source)
}

// build compiles a package of the module in folder into the file program.
func build(ctx context.Context, folder, program, source string) (string, error) {
	if fresh(program, folder) {
		return program, nil
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", source, err)
	}
	lock, err := lockBuild(ctx, program+".lock")
	if err != nil {
		return "", fmt.Errorf("build %s: %w", source, err)
	}
	defer func() { _ = lock.Close() }()
	if fresh(program, folder) {
		return program, nil
	}
	// Beside its place, since the one that is there may be running.
	made := program + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", made, source)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("build %s in %s, which needs the Go module proxy once: %w\n%s", source, folder, err, output)
	}
	if err := os.Rename(made, program); err != nil {
		return "", fmt.Errorf("build %s: %w", source, err)
	}
	return program, nil
}

// fresh says whether a program is newer than the go.mod in a folder.
func fresh(program, folder string) bool {
	built, err := os.Stat(program)
	if err != nil {
		return false
	}
	wanted, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil && built.ModTime().After(wanted.ModTime())
}

// lockBuild waits for its turn.
func lockBuild(ctx context.Context, path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return lock, nil
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = wait(ctx, poll)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("wait for another build: %w", err), lock.Close())
		}
	}
}

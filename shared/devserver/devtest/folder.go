package devtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const folderPrefix = "honeydue-test-"

// A folder is a temporary one that is open to every user, since root's servers run as another.
type folder struct {
	path string
	lock *os.File // held while the folder is in use
}

// makeFolder makes a temporary folder, and removes those of test binaries that were killed.
func makeFolder() (*folder, error) {
	sweep()
	path, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	lock, err := lockFolder(path)
	if err == nil {
		err = os.Chmod(path, 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", errors.Join(err, os.RemoveAll(path)))
	}
	return &folder{path, lock}, nil
}

func (f *folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.lock.Close())
}

// lockFolder returns an error when the folder is in use.
func lockFolder(path string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(path, "test.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

// sweep removes folders that nobody uses. It is a kindness: what it cannot remove, a later one may.
func sweep() {
	paths, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		// A young one may be about to be locked.
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if lock, err := lockFolder(path); err == nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}

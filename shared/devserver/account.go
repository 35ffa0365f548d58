package devserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// An account is the user that root's servers run as. A nil account is ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// unprivileged returns the account for a server whose data is in folder: nil unless we are root, and the
// folder's owner when it exists already, so that root can go on with what somebody else began.
func unprivileged(folder string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var owner syscall.Stat_t
	err := syscall.Stat(folder, &owner)
	switch {
	case err == nil && owner.Uid != 0:
		return &account{fmt.Sprintf("number %d", owner.Uid), owner.Uid, owner.Gid}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read folder %s: %w", folder, err)
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("read user %s: %w", name, err)
		}
		return &account{name, uint32(uid), uint32(gid)}, nil
	}
	return nil, errors.New("find a user for the servers: neither postgres nor nobody exists, and root must not run them")
}

// credential is what a child needs to become the account.
func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// makeFolder makes a private folder of the account's, with its parents, and returns its real path. A parent
// that the account cannot pass through is an error.
func (a *account) makeFolder(folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if a == nil {
		return folder, nil
	}
	if err := os.Chown(folder, int(a.uid), int(a.gid)); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	return folder, a.mayReach(filepath.Dir(folder))
}

// writeFile writes a file that the account and nobody else may read.
func (a *account) writeFile(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if a == nil {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// CheckDir returns an error when servers that we start could not work in a folder that exists: we are root, and
// the user whom the servers run as cannot pass through it or one of its parents.
func CheckDir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("check folder: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return fmt.Errorf("check folder: %w", err)
	}
	as, err := unprivileged(filepath.Join(dir, postgresProgram.name))
	if err != nil || as == nil {
		return err
	}
	return as.mayReach(dir)
}

// mayReach returns an error when the account cannot pass through a folder and all its parents.
func (a *account) mayReach(folder string) error {
	for ; ; folder = filepath.Dir(folder) {
		if err := a.mayPass(folder); err != nil {
			return err
		}
		if folder == filepath.Dir(folder) {
			return nil
		}
	}
}

// mayPass returns an error when the account cannot reach what is inside a folder.
func (a *account) mayPass(folder string) error {
	var s syscall.Stat_t
	if err := syscall.Stat(folder, &s); err != nil {
		return fmt.Errorf("read folder %s: %w", folder, err)
	}
	execute := fs.FileMode(0o001)
	switch {
	case s.Uid == a.uid:
		execute = 0o100
	case s.Gid == a.gid:
		execute = 0o010
	}
	if fs.FileMode(s.Mode)&execute == 0 {
		return fmt.Errorf("folder %s is closed to user %s, as whom root runs the servers: open it with chmod o+x, or keep their data elsewhere", folder, a.name)
	}
	return nil
}

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// grace is how long a program of ours may take to end in an orderly way.
const grace = 30 * time.Second

// command is a program in a process group of its own, which is interrupted as a whole when ctx ends.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = grace
	return cmd
}

// Make runs one of the workspace's make targets on this cluster, as a person would, and returns what it printed, which is
// copied to the cluster's log as well.
func (c *Cluster) Make(ctx context.Context, args ...string) (string, error) {
	cmd := command(ctx, "make", append([]string{"--no-print-directory"}, args...)...)
	cmd.Dir = c.root
	cmd.Env = append(untold(os.Environ()), "KUBECONFIG="+c.Environment.Kubeconfig, "INGRESS="+c.Environment.Ingress.String(), c.kept())
	var printed bytes.Buffer
	both := io.MultiWriter(&printed, c.log)
	cmd.Stdout, cmd.Stderr = both, both // the same, so that writes come one after the other
	if err := cmd.Run(); err != nil {
		return printed.String(), fmt.Errorf("make %s: %w", strings.Join(args, " "), errors.Join(err, context.Cause(ctx)))
	}
	return printed.String(), nil
}

var assigned = regexp.MustCompile(`(?:^|\s)(\w+)=`)

// untold returns an environment without what a make above was told, which is not for another one: its flags, and the variables of its
// command line, such as FN, each of which it hands on as one of the environment too.
func untold(environment []string) []string {
	told := []string{"MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL"}
	for _, variable := range environment {
		if flags, ok := strings.CutPrefix(variable, "MAKEFLAGS="); ok {
			for _, name := range assigned.FindAllStringSubmatch(flags, -1) {
				told = append(told, name[1])
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(told, name)
	})
}

// Build makes an image of a Go package of the workspace, pushes it and returns its name with its digest.
func (c *Cluster) Build(ctx context.Context, pkg string) (string, error) {
	cmd := command(ctx, filepath.Join(c.root, "bin", "ko"), "build", "--base-import-paths", "--platform=linux/"+runtime.GOARCH, pkg)
	cmd.Dir = c.root
	cmd.Env = append(os.Environ(), "KO_DOCKER_REPO="+c.Environment.Registry, "KO_DEFAULTBASEIMAGE="+c.Environment.BaseImage, c.kept())
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build image of %s: %w: %s", pkg, err, bytes.TrimSpace(said.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// kept has ko keep the programs that it built, which the tests deploy again and again, for this run alone.
func (c *Cluster) kept() string { return "KOCACHE=" + filepath.Join(c.dir, "ko") }

// workspace returns the folder of go.work.
func workspace(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", fmt.Errorf("find workspace: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if file == "" || file == "off" {
		return "", errors.New("find workspace: no go.work at or above the working folder")
	}
	return filepath.Dir(file), nil
}

// signal sends a signal to a container's processes on this machine, which is the node, and returns how many there were: none
// when it has no id, or has ended.
func signal(container string, s syscall.Signal) (told int, err error) {
	pids, err := processes(container)
	if err != nil {
		return 0, fmt.Errorf("find processes: %w", err)
	}
	for _, pid := range pids {
		err := syscall.Kill(pid, s)
		if errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return told, fmt.Errorf("signal process: %w", err)
		}
		told++
	}
	return told, nil
}

// processes returns the ids of a container's processes.
func processes(container string) ([]int, error) {
	if container == "" {
		return nil, nil
	}
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(text, []byte(container)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		found = append(found, pid)
	}
	return found, nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	quick     = time.Minute      // for a command that asks or tells the cluster something
	graceTime = 10 * time.Second // for a command to end after it was interrupted
)

// command runs a program and returns what it printed. Its error holds what the program complained of.
func command(ctx context.Context, limit time.Duration, stdin []byte, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end after %s", limit))
	defer cancel()
	cmd := newCommand(ctx, name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, explain(ctx, err, name, args, stderr.String())
	}
	printWarnings(stderr.String())
	return stdout.Bytes(), nil
}

func newCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // kubectl, ko and kn, with arguments that no shell reads
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = graceTime
	return cmd
}

func explain(ctx context.Context, err error, name string, args []string, stderr string) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("run %s: it is not installed, or this is not the root of the workspace", name)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if said := strings.TrimSpace(stderr); said != "" {
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, said)
	}
	return fmt.Errorf("%s %s: %w", name, args[0], err)
}

// printWarnings passes on what the cluster finds questionable, such as a breach of Pod Security. That an object was
// made by other means than apply, as every namespace's service account is, is not.
func printWarnings(stderr string) {
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "Warning:") && !strings.Contains(line, "last-applied-configuration annotation") {
			fmt.Fprint(os.Stderr, line)
		}
	}
}

func kubectl(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	return command(ctx, quick, stdin, "kubectl", args...)
}

// get reads one object; nil when there is none of that name.
func get(ctx context.Context, namespace, kind, name string) (*object, error) {
	printed, err := kubectl(ctx, nil, "get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "json")
	if err != nil || len(bytes.TrimSpace(printed)) == 0 {
		return nil, err
	}
	o := &object{}
	if err := json.Unmarshal(printed, &o.Object); err != nil {
		return nil, fmt.Errorf("decode %s %s: %w", kind, name, err)
	}
	return o, nil
}

// list reads the objects that arguments of kubectl get choose.
func list(ctx context.Context, args ...string) ([]*object, error) {
	printed, err := kubectl(ctx, nil, append([]string{"get", "--output", "json"}, args...)...)
	if err != nil {
		return nil, err
	}
	var found struct{ Items []map[string]any }
	if err := json.Unmarshal(printed, &found); err != nil {
		return nil, fmt.Errorf("decode list: %w", err)
	}
	objects := make([]*object, 0, len(found.Items))
	for _, item := range found.Items {
		objects = append(objects, &object{Object: item})
	}
	return objects, nil
}

// watch calls see with every state of the objects that arguments of kubectl get choose, the present one first,
// until see says that it has seen enough. It also calls see with nil every second: time passes without news.
func watch(ctx context.Context, see func(*object) (enough bool, err error), args ...string) error {
	ctx, cancel := context.WithCancel(ctx)
	states := make(chan *object)
	done := make(chan struct{})
	go func() {
		defer close(done)
		follow(ctx, states, args)
	}()
	defer func() { cancel(); <-done }()

	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		var state *object
		select {
		case state = <-states:
		case <-second.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if enough, err := see(state); enough || err != nil {
			return err
		}
	}
}

// follow sends states until the context ends. A cluster ends every watch after some minutes, and one that is
// out of reach for a moment breaks it: both begin anew.
func follow(ctx context.Context, states chan<- *object, args []string) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for ctx.Err() == nil {
		followOnce(ctx, states, args)
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

func followOnce(ctx context.Context, states chan<- *object, args []string) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := newCommand(ctx, "kubectl", append([]string{"get", "--watch", "--output", "json"}, args...)...)
	defer func() { cancel(); _ = cmd.Wait() }()
	stdout, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return
	}
	for decoder := json.NewDecoder(stdout); ; {
		state := &object{}
		if decoder.Decode(&state.Object) != nil {
			return
		}
		select {
		case states <- state:
		case <-ctx.Done():
			return
		}
	}
}

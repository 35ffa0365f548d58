// Command doctor looks at the operator's machine and the cluster of kubectl's context, and says how to mend what is not as it should be.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/k3s/cluster"
	"github.com/honeydue/backend/k3s/doctor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	well, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(2)
	}
	if !well {
		os.Exit(1)
	}
}

const patience = 2 * time.Minute

func run(ctx context.Context, args []string, out io.Writer) (well bool, err error) {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	root := flags.String("root", ".", "the project's root")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return false, errors.New("usage, in the project's root: go run ./k3s/cmd/doctor")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := &doctor.Patient{Run: program, Getenv: os.Getenv, Now: time.Now}
	if p.Go, err = asked(*root); err != nil {
		return false, err
	}
	p.Kubectl = func(ctx context.Context, args ...string) ([]byte, error) { return program(ctx, "kubectl", args...) }
	if _, err := os.Stat(filepath.Join(*root, "k3s/cluster.env")); err == nil {
		all, err := cluster.Read(filepath.Join(*root, "k3s/cluster.env"))
		if err != nil {
			return false, err
		}
		p.Nodes = len(all.Nodes)
		if p.Version, err = pinned(*root, "k3s"); err != nil {
			return false, err
		}
	}
	return report(out, p.Examine(ctx))
}

// asked is the version of Go that go.work asks for.
func asked(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, "go.work")) //nolint:gosec // below the root
	if err != nil {
		return "", fmt.Errorf("read go.work: %w: run it in the project's root", err)
	}
	for line := range strings.Lines(string(content)) {
		if version, ok := strings.CutPrefix(line, "go "); ok {
			return strings.TrimSpace(version), nil
		}
	}
	return "", errors.New("go.work names no version of Go")
}

// pinned is the version that pins.lock has of something.
func pinned(root, name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, "k3s/pins.lock")) //nolint:gosec // below the root
	if err != nil {
		return "", fmt.Errorf("read pins: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if parts := strings.Fields(line); len(parts) > 1 && parts[0] == name {
			return parts[1], nil
		}
	}
	return "", fmt.Errorf("pins.lock has no %s", name)
}

// program runs one, and says in its error what it complained of.
func program(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the operator's own tools
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("it is not installed")
	case err != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("%s: %w: %s", name, err, first)
	case len(out) == 0:
		return said.Bytes(), nil // ssh tells its version there
	}
	return out, nil
}

// report prints a line for each subject, and under it what was found, with its mend.
func report(out io.Writer, all []doctor.Examination) (well bool, err error) {
	table, findings := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), 0
	for _, e := range all {
		state, said := "well", e.Looked
		switch {
		case len(e.Findings) > 0:
			state, said = "WRONG", ""
		case e.Skipped != "":
			state, said = "not looked at", e.Skipped
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", e.Subject, state, said)
		for _, f := range e.Findings {
			findings++
			_, _ = fmt.Fprintf(table, "\t\t%s\n\t\t  mend: %s\n", f.What, f.Mend)
		}
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(out, "\n%d findings\n", findings)
	return findings == 0, err
}

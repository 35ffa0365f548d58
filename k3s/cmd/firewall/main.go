// Command firewall writes a node's UFW configuration, and keeps the edge's networks up to date wherever they stand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/honeydue/backend/k3s/cluster"
	"github.com/honeydue/backend/k3s/firewall"
)

const usage = `usage, in the project's root:
  go run ./k3s/cmd/firewall rules <node> <folder>   write the files of a node's UFW below the folder
  go run ./k3s/cmd/firewall refresh                 ask Cloudflare for its networks and write them wherever they stand
  go run ./k3s/cmd/firewall check                   say whether all places have the same networks`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "firewall:", err)
		os.Exit(1)
	}
}

// A command knows where the project is.
type command struct {
	root, file, from string
	out              io.Writer
}

func run(ctx context.Context, args []string, out io.Writer) error {
	c := command{out: out}
	flags := flag.NewFlagSet("firewall", flag.ContinueOnError)
	flags.StringVar(&c.root, "root", ".", "the project's root")
	flags.StringVar(&c.file, "cluster", "k3s/cluster.env", "what there is of nodes and operators, below the root")
	flags.StringVar(&c.from, "from", "https://www.cloudflare.com/ips-v4", "where refresh asks")
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, usage)
	}
	args = flags.Args()
	switch {
	case len(args) == 3 && args[0] == "rules":
		return c.rules(args[1], args[2])
	case len(args) == 1 && args[0] == "refresh":
		return c.refresh(ctx)
	case len(args) == 1 && args[0] == "check":
		edge, err := c.edge()
		if err != nil {
			return err
		}
		return firewall.Check(c.root, edge)
	}
	return errors.New(usage)
}

// edge are the networks that the project has.
func (c command) edge() ([]netip.Prefix, error) {
	content, err := os.ReadFile(filepath.Join(c.root, firewall.Ranges))
	if err != nil {
		return nil, fmt.Errorf("read networks: %w", err)
	}
	edge, err := firewall.ParseEdge(string(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", firewall.Ranges, err)
	}
	return edge, nil
}

func (c command) rules(name, folder string) error {
	all, err := cluster.Read(filepath.Join(c.root, c.file))
	if err != nil {
		return err
	}
	node, err := all.Node(name)
	if err != nil {
		return err
	}
	edge, err := c.edge()
	if err != nil {
		return err
	}
	for _, file := range firewall.Files(all, node, edge) {
		path := filepath.Join(folder, file.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
		if err := os.WriteFile(path, []byte(file.Content), 0o640); err != nil { //nolint:gosec // UFW wants them readable by its group
			return fmt.Errorf("write rules: %w", err)
		}
		if _, err := fmt.Fprintln(c.out, path); err != nil {
			return err
		}
	}
	return nil
}

func (c command) refresh(ctx context.Context) error {
	had, err := c.edge()
	if err != nil {
		return err
	}
	text, err := fetch(ctx, c.from)
	if err != nil {
		return err
	}
	edge, err := firewall.ParseEdge(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.from, err)
	}
	if err := firewall.Replaces(had, edge); err != nil {
		return fmt.Errorf("%s: %w", c.from, err)
	}
	if err := firewall.Write(c.root, edge); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%d networks, %d before; see git diff, then load the rules on every node, apply k3s/traefik and deploy\n", len(edge), len(had))
	return err
}

func fetch(ctx context.Context, from string) (string, error) {
	const patience, most = 10 * time.Second, 64 << 10
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("ask for networks: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask for networks: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask for networks: %s answered %s", from, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return "", fmt.Errorf("ask for networks: %w", err)
	}
	return string(body), nil
}

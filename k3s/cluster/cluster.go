// Package cluster reads k3s/cluster.env: which machines the cluster is made of and who may reach them. Nothing in that file is secret.
package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Cluster is what cluster.env says.
type Cluster struct {
	Nodes     []Node
	Operators []netip.Prefix // from which SSH is answered
	Registry  string         // the host of the private registry
}

// A Node is one machine.
type Node struct {
	Name            string
	Private, Public netip.Addr
}

// Networks of K3s, which its configuration in k3s/node/ names as well.
var (
	Pods     = netip.MustParsePrefix("10.42.0.0/16")
	Services = netip.MustParsePrefix("10.43.0.0/16")
)

// Read reads the file at path. Its error names every line that is wrong, and how it must be.
func Read(path string) (Cluster, error) {
	content, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, os.ErrNotExist) {
		return Cluster{}, fmt.Errorf("read cluster: there is no %s: copy k3s/cluster.env.example and fill it in", path)
	}
	if err != nil {
		return Cluster{}, fmt.Errorf("read cluster: %w", err)
	}
	c, err := parse(string(content))
	if err != nil {
		return Cluster{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Node returns the one of that name. Its error lists those that there are.
func (c Cluster) Node(name string) (Node, error) {
	names := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return Node{}, fmt.Errorf("there is no node %q; NODES has %s", name, strings.Join(names, ", "))
}

var assignment = regexp.MustCompile(`^([A-Z_]+)="?([^"$` + "`" + `\\]*)"?$`)

// parse reads lines of the form NAME="value", which a shell reads the same way.
func parse(text string) (c Cluster, err error) {
	var wrong []error
	seen := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := assignment.FindStringSubmatch(line)
		if parts == nil {
			wrong = append(wrong, fmt.Errorf("line %d is not of the form NAME=\"value\"", i+1))
			continue
		}
		name, values := parts[1], strings.Fields(parts[2])
		if seen[name] {
			wrong = append(wrong, fmt.Errorf("line %d: %s stands twice", i+1, name))
			continue
		}
		seen[name] = true
		if err := c.set(name, values); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %s: %w", i+1, name, err))
		}
	}
	for _, name := range []string{"NODES", "OPERATORS", "REGISTRY"} {
		if !seen[name] {
			wrong = append(wrong, fmt.Errorf("%s is missing", name))
		}
	}
	return c, errors.Join(wrong...)
}

func (c *Cluster) set(name string, values []string) (err error) {
	switch name {
	case "NODES":
		c.Nodes, err = parseNodes(values)
	case "OPERATORS":
		c.Operators, err = parseOperators(values)
	case "REGISTRY":
		if len(values) != 1 || strings.Contains(values[0], "/") {
			return errors.New("is one host, such as registry.example.com")
		}
		c.Registry = values[0]
	default:
		return errors.New("is not known here")
	}
	return err
}

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func parseNodes(values []string) (nodes []Node, err error) {
	for _, value := range values {
		parts := strings.Split(value, "=")
		if len(parts) != 3 || !label.MatchString(parts[0]) {
			return nil, fmt.Errorf("%q is not name=private address=public address", value)
		}
		private, err := parseAddress(parts[1])
		if err != nil || !private.IsPrivate() || Pods.Contains(private) || Services.Contains(private) {
			return nil, fmt.Errorf("%q: the private address is an IPv4 one of a private network, other than those of pods (%s) and Services (%s)", value, Pods, Services)
		}
		public, err := parseAddress(parts[2])
		if err != nil || public.IsPrivate() {
			return nil, fmt.Errorf("%q: the public address is an IPv4 one that the internet reaches", value)
		}
		same := func(n Node) bool { return n.Name == parts[0] || n.Private == private || n.Public == public }
		if slices.ContainsFunc(nodes, same) {
			return nil, fmt.Errorf("%q has its name or an address of a node before it", value)
		}
		nodes = append(nodes, Node{parts[0], private, public})
	}
	if len(nodes)%2 == 0 {
		return nil, fmt.Errorf("there are %d; etcd wants an odd number, and three to survive the loss of one", len(nodes))
	}
	return nodes, nil
}

func parseAddress(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err == nil && !address.Is4() {
		err = errors.New("it is not an IPv4 address")
	}
	return address, err
}

func parseOperators(values []string) (networks []netip.Prefix, err error) {
	const widest = 16 // bits
	for _, value := range values {
		network, err := netip.ParsePrefix(value)
		if err != nil || !network.Addr().Is4() || network != network.Masked() || network.Bits() < widest {
			return nil, fmt.Errorf("%q is not an IPv4 network of at most 65536 addresses, such as 198.51.100.7/32", value)
		}
		networks = append(networks, network)
	}
	if len(networks) == 0 {
		return nil, errors.New("is empty: nobody could reach a node by SSH")
	}
	return networks, nil
}

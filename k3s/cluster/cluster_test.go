package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const example = "../cluster.env.example"

func TestTheExampleIsRead(t *testing.T) {
	t.Parallel()
	c, err := Read(example)
	require.NoError(t, err)
	require.Len(t, c.Nodes, 3)
	n, err := c.Node(c.Nodes[1].Name)
	require.NoError(t, err)
	require.Equal(t, c.Nodes[1], n)
	_, err = c.Node("elsewhere")
	require.ErrorContains(t, err, `there is no node "elsewhere"; NODES has `+c.Nodes[0].Name)
}

// Whatever is wrong is said, with its line, and nothing is read.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(example)
	require.NoError(t, err)
	right := string(content)
	replaced := func(name, value string) string {
		lines := strings.Split(right, "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, name+"=") {
				lines[i] = name + `="` + value + `"`
			}
		}
		return strings.Join(lines, "\n")
	}
	for said, text := range map[string]string{
		"NODES is missing":                           strings.ReplaceAll(right, "NODES=", "# "),
		"OPERATORS is missing":                       strings.ReplaceAll(right, "OPERATORS=", "# "),
		"stands twice":                               right + "REGISTRY=registry.example.com\n",
		"is not known here":                          right + "NODE=x\n",
		"is not of the form":                         right + "export NODES=x\n",
		"is one host":                                replaced("REGISTRY", "registry.example.com/honeydue"),
		"there are 2; etcd wants":                    replaced("NODES", "a=10.0.0.2=203.0.113.1 b=10.0.0.3=203.0.113.2"),
		"there are 0; etcd wants":                    replaced("NODES", ""),
		"is not name=private":                        replaced("NODES", "a=10.0.0.2"),
		"is not name=private address=public address": replaced("NODES", "A_b=10.0.0.2=203.0.113.1"),
		"the private address is":                     replaced("NODES", "a=203.0.113.9=203.0.113.1"),
		"other than those of pods":                   replaced("NODES", "a=10.42.0.2=203.0.113.1"),
		"the public address is":                      replaced("NODES", "a=10.0.0.2=10.0.0.3"),
		"of a node before it":                        replaced("NODES", "a=10.0.0.2=203.0.113.1 b=10.0.0.2=203.0.113.2 c=10.0.0.4=203.0.113.3"),
		"is empty: nobody could":                     replaced("OPERATORS", ""),
		`"0.0.0.0/0" is not an IPv4 network`:         replaced("OPERATORS", "0.0.0.0/0"),
		`"198.51.100.7/24" is not`:                   replaced("OPERATORS", "198.51.100.7/24"),
		`"2001:db8::/64" is not`:                     replaced("OPERATORS", "2001:db8::/64"),
	} {
		path := filepath.Join(t.TempDir(), "cluster.env")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Read(path)
		require.ErrorContains(t, err, said)
	}
	_, err = Read(filepath.Join(t.TempDir(), "cluster.env"))
	require.ErrorContains(t, err, "copy k3s/cluster.env.example")
}

package firewall

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/k3s/cluster"
)

const root = "../.."

func example(t *testing.T) (cluster.Cluster, []netip.Prefix) {
	t.Helper()
	c, err := cluster.Read(root + "/k3s/cluster.env.example")
	require.NoError(t, err)
	content, err := os.ReadFile(root + "/" + Ranges)
	require.NoError(t, err)
	edge, err := ParseEdge(string(content))
	require.NoError(t, err)
	return c, edge
}

// The firewall, Traefik and the functions believe the same networks.
func TestAllPlacesHaveTheSameNetworks(t *testing.T) {
	t.Parallel()
	_, edge := example(t)
	require.NoError(t, Check(root, edge))
}

func TestWrongNetworks(t *testing.T) {
	t.Parallel()
	for text, said := range map[string]string{
		"":                                 "there are no networks",
		"# nothing\n\n":                    "there are no networks",
		"<html>blocked</html>":             "is not a public IPv4 network",
		"104.16.0.0/13\n2400:cb00::/32":    "is not a public IPv4 network",
		"0.0.0.0/0":                        "is not a public IPv4 network",
		"10.0.0.0/8":                       "is not a public IPv4 network",
		"104.16.0.1/13":                    "is not a public IPv4 network",
		"104.16.0.0/13 104.24.0.0/14":      "is not a public IPv4 network",
		"104.16.0.0/13\n-j ACCEPT":         "is not a public IPv4 network",
		strings.Repeat("x", 1<<17) + "\n":  "read networks",
		"104.16.0.0/13\n104.16.0.0/13/13":  "is not a public IPv4 network",
		"104.16.0.0/13\r\n104.24.0.0/14\r": "",
	} {
		_, err := ParseEdge(text)
		if said == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, said)
	}
}

// A node lets nothing of its own rules name itself, and has all of the others.
func TestEachNodeNamesTheOthers(t *testing.T) {
	t.Parallel()
	c, edge := example(t)
	for _, node := range c.Nodes {
		text := ""
		for _, file := range Files(c, node, edge) {
			text += file.Content
			require.True(t, strings.HasSuffix(file.Content, "\n"), file.Path)
		}
		for _, other := range c.Nodes {
			require.Equal(t, other != node, strings.Contains(text, "-s "+other.Private.String()+" "), "%s of %s", other.Name, node.Name)
			require.NotContains(t, text, "-s "+other.Public.String(), "nodes talk by their private addresses")
		}
		require.Equal(t, len(edge), strings.Count(text, "--dport 443 "))
		require.Equal(t, len(c.Operators), strings.Count(text, "--dport 22 "))
	}
}

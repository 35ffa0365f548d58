package knative

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// beside reads the policies of what stands beside the functions, which no overlay has.
func beside(t *testing.T, folders ...string) (policies []object[networkingv1.NetworkPolicy]) {
	t.Helper()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join("../k3s", folder, "*.yaml"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			content, err := os.ReadFile(filepath.Clean(file))
			require.NoError(t, err)
			for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
				var p networkingv1.NetworkPolicy
				if err := yaml.Unmarshal(document, &p); err == nil && p.Kind == "NetworkPolicy" {
					policies = append(policies, object[networkingv1.NetworkPolicy]{T: &p})
				}
			}
		}
	}
	return policies
}

// What watches reaches what it watches, what tells reaches it, and nothing else does: a connection needs both its ends.
func TestFlowsOfWhatWatches(t *testing.T) {
	t.Parallel()
	policies := beside(t, "observability", "backup")
	require.Len(t, policies, 8)
	watcher := func(name string) endpoint {
		return pod("observability", labels.Set{"app.kubernetes.io/name": name})
	}
	var (
		metrics, alerts, mail, traces, panels = watcher("victoria-metrics"), watcher("vmalert"), watcher("alertmanager"), watcher("jaeger"), watcher("grafana")

		function = pod("honeydue", labels.Set{"honeydue.reach/telemetry": "yes"})
		quiet    = pod("honeydue", labels.Set{})
		dump     = pod("backup", labels.Set{"app.kubernetes.io/name": "backup"})
		days     = pod("kube-system", labels.Set{"app.kubernetes.io/name": "certificates"})
		names    = pod("kube-system", labels.Set{"k8s-app": "kube-dns"})
		node     = host("10.0.0.3")
		internet = host("3.64.1.2")
	)
	for _, flow := range []struct {
		what     string
		from, to endpoint
		at       port
		passes   bool
	}{
		{"a function's figures", function, metrics, tcp(8428), true},
		{"a function's traces", function, traces, tcp(4318), true},
		{"figures of what has none to send", quiet, metrics, tcp(8428), false},
		{"the age of dumps", dump, metrics, tcp(8428), true},
		{"the days of certificates", days, metrics, tcp(8428), true},
		{"Traefik's figures", metrics, node, tcp(9101), true},
		{"the API server", metrics, node, tcp(6443), false},
		{"the internet", metrics, internet, tcp(443), false},
		{"rules", alerts, metrics, tcp(8428), true},
		{"alerts", alerts, mail, tcp(9093), true},
		{"alerts of another", panels, mail, tcp(9093), false},
		{"a mail", mail, internet, tcp(587), true},
		{"a mail in the nodes' network", mail, node, tcp(587), false},
		{"panels of figures", panels, metrics, tcp(8428), true},
		{"panels of traces", panels, traces, tcp(16686), true},
		{"panels for a function", function, panels, tcp(3000), false},
		{"traces that leave", traces, internet, tcp(443), false},
		{"names for what watches", metrics, names, udp(53), true},
		{"names for dumps", dump, names, udp(53), true},
		{"the database", dump, internet, tcp(5432), true},
		{"the buckets", dump, internet, tcp(443), true},
		{"the nodes", dump, node, tcp(443), false},
	} {
		passes := allows(policies, networkingv1.PolicyTypeEgress, flow.from, flow.to, flow.at) &&
			allows(policies, networkingv1.PolicyTypeIngress, flow.to, flow.from, flow.at)
		require.Equal(t, flow.passes, passes, flow.what)
	}
}

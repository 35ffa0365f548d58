package book

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// A share is CPU in thousandths and memory in MiB.
type share struct{ cpu, memory int64 }

func (s share) times(n int64) share { return share{n * s.cpu, n * s.memory} }

func of(list corev1.ResourceList) share {
	memory := list[corev1.ResourceMemory]
	return share{list.Cpu().MilliValue(), memory.Value() >> 20}
}

// requested is what the containers of a manifest's sets of pods ask for, a pod of each.
func requested(t *testing.T, path string) (each share) {
	t.Helper()
	for document := range strings.SplitSeq(read(t, path).text, "\n---\n") {
		var set struct {
			Kind string
			Spec struct{ Template corev1.PodTemplateSpec }
		}
		require.NoError(t, yaml.Unmarshal([]byte(document), &set))
		if set.Kind == "StatefulSet" || set.Kind == "Deployment" {
			for _, c := range set.Spec.Template.Spec.Containers {
				s := of(c.Resources.Requests)
				each = share{each.cpu + s.cpu, each.memory + s.memory}
			}
		}
	}
	require.Positive(t, each.memory, path)
	return each
}

// The table of what all of it takes adds up, fits on two nodes, and is what the manifests say.
func TestFootprint(t *testing.T) {
	t.Parallel()
	rows := map[string]share{}
	var order []string
	page := read(t, "docs/infrastructure.md").text
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| \**(\d+)\** \| \**(\d+)\** \|`).FindAllStringSubmatch(page, -1) {
		cpu, err := strconv.ParseInt(row[2], 10, 64)
		require.NoError(t, err)
		memory, err := strconv.ParseInt(row[3], 10, 64)
		require.NoError(t, err)
		rows[row[1]] = share{cpu, memory}
		order = append(order, row[1])
	}
	sum := share{}
	for _, name := range order {
		if !strings.HasPrefix(name, "**") {
			sum = share{sum.cpu + rows[name].cpu, sum.memory + rows[name].memory}
		}
	}
	all, there := rows["**in all**"], rows["**two nodes have**"]
	require.Equal(t, sum, all)
	require.LessOrEqual(t, all.cpu, there.cpu)
	require.LessOrEqual(t, all.memory, there.memory)

	require.Equal(t, requested(t, "k3s/nats/nats.yaml").times(2), rows["NATS, two of three"])
	require.Equal(t, requested(t, "k3s/redis/redis.yaml"), rows["Redis"])
	var watching share
	for _, name := range []string{"victoria-metrics", "vmalert", "alertmanager", "jaeger", "grafana"} {
		s := requested(t, "k3s/observability/"+name+".yaml")
		watching = share{watching.cpu + s.cpu, watching.memory + s.memory}
	}
	require.Equal(t, watching, rows["VictoriaMetrics, vmalert, Alertmanager, Jaeger, Grafana"])
	var quota struct {
		Spec struct{ Hard corev1.ResourceList }
	}
	first, _, _ := strings.Cut(read(t, "knative/namespace/limits.yaml").text, "\n---\n")
	require.NoError(t, yaml.Unmarshal([]byte(first), &quota))
	cpu, memory := quota.Spec.Hard["requests.cpu"], quota.Spec.Hard["requests.memory"]
	require.Equal(t, share{cpu.MilliValue() / 2, memory.Value() >> 20 / 2}, rows["functions, all at their most, and standby"])
	require.Contains(t, read(t, "k3s/traefik/config.yaml").text, "requests: {cpu: 100m, memory: 128Mi}")
	require.Equal(t, share{200, 256}, rows["Traefik, on two nodes"])

	var kubelet struct {
		SystemReserved, KubeReserved, EvictionHard map[string]string
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "k3s/node/kubelet.yaml").text), &kubelet))
	kept := func(name string) (n resource.Quantity) {
		for _, from := range []string{kubelet.SystemReserved[name], kubelet.KubeReserved[name], kubelet.EvictionHard[name+".available"]} {
			if from != "" {
				n.Add(resource.MustParse(from))
			}
		}
		return n
	}
	const cores, mebibytes = 4000, 7600 // of a node with 4 CPUs and 8 GB, of which the kernel keeps some
	keptCPU, keptMemory := kept("cpu"), kept("memory")
	require.Equal(t, share{2 * (cores - keptCPU.MilliValue()), 2 * (mebibytes - keptMemory.Value()>>20)}, there)
}

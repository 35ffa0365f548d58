package cluster

import (
	"maps"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnvironment(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"KUBECONFIG": "/etc/cluster", "KO_DOCKER_REPO": "127.0.0.1:5000", "KO_DEFAULTBASEIMAGE": "127.0.0.1:5000/static",
		"CLUSTER_INGRESS": "http://127.0.0.1:8000", "CLUSTER_HOST_ADDRESS": "10.250.0.1",
	}
	for name, c := range map[string]struct {
		change map[string]string
		says   string // the error, empty for none
	}{
		"loopback":          {nil, ""},
		"bridge":            {map[string]string{"CLUSTER_INGRESS": "http://10.250.0.1:8000"}, ""},
		"another machine":   {map[string]string{"CLUSTER_INGRESS": "http://10.250.0.2:8000"}, "neither on loopback"},
		"a name":            {map[string]string{"CLUSTER_INGRESS": "http://api.myhoneydue.com"}, "neither on loopback"},
		"not an address":    {map[string]string{"CLUSTER_INGRESS": "127.0.0.1:8000"}, "not of the form"},
		"no host address":   {map[string]string{"CLUSTER_HOST_ADDRESS": "here"}, "read CLUSTER_HOST_ADDRESS"},
		"several are empty": {map[string]string{"KUBECONFIG": "", "CLUSTER_INGRESS": ""}, "no KUBECONFIG, CLUSTER_INGRESS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(good)
			maps.Copy(env, c.change)
			e, err := read(func(name string) string { return env[name] })
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, netip.MustParseAddr("10.250.0.1"), e.Host)
			require.Equal(t, "http", e.Ingress.Scheme)
		})
	}
}

func TestAddressOfThisMachine(t *testing.T) {
	t.Parallel()
	require.NoError(t, isLocal(netip.MustParseAddr("127.0.0.1")))
	require.Error(t, isLocal(netip.MustParseAddr("192.0.2.1")))
}

func TestPodsThatDoNotRun(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "no container of this machine has this id"} {
		pod := Pod{Name: "one", container: id, sidecar: id}
		require.ErrorContains(t, pod.Kill(), "kill one: it does not run")
		require.NoError(t, pod.hasten())
	}
}

// A make that runs below another one is told by its own command line alone.
func TestWhatAMakeAboveWasTold(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"PATH=/bin", "KO=x"}, untold([]string{
		"MAKELEVEL=1", "PATH=/bin", "MAKEFLAGS=w -- DURATION=10s FN=site", "FN=site", "DURATION=10s", "MFLAGS=-w", "KO=x",
	}))
	require.Equal(t, []string{"FN=site"}, untold([]string{"FN=site"}), "somebody's own")
}

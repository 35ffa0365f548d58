//go:build e2e

package e2e

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
)

// TestDoctor: on this cluster it finds what production has and this one has not, and, when something is broken, that as well.
func TestDoctor(t *testing.T) {
	ctx, c := within(t, 3*time.Minute)
	found := func() (all []string) {
		for _, line := range regexp.MustCompile(`(?m)^ {4,}(.+)\n +mend: .+$`).FindAllStringSubmatch(fails(ctx, t, c, "doctor"), -1) {
			// The sidecar a release of Knative names by its digest; of what age kubectl is, is the machine's affair.
			if !strings.Contains(line[1], "/knative-queue:") && !strings.HasPrefix(line[1], "kubectl is ") {
				all = append(all, line[1])
			}
		}
		return all
	}
	lacking := []string{
		"Traefik is not the DaemonSet on the hosts' network that k3s/traefik/config.yaml asks for",
		"nothing runs in nats-io", "nothing runs in redis", "nothing runs in observability",
		"there is no Broker: events wait in the outbox",
		"Secret origin-certificate of kube-system: is not there, or has no certificate", "Secret origin-pull-ca of kube-system: is not there, or has no certificate",
		"no snapshot of etcd is in the bucket",
	}
	require.Equal(t, lacking, found())
	enforce := func(ctx context.Context, level string) {
		_, err := c.Kubectl(ctx, "", "label", "--overwrite", "namespace", cluster.Namespace, "pod-security.kubernetes.io/enforce="+level)
		require.NoError(t, err)
	}
	undo(t, func(ctx context.Context) { enforce(ctx, "restricted") })
	enforce(ctx, "baseline")
	require.ElementsMatch(t, append(lacking, `namespace honeydue enforces "baseline", not restricted`), found())
}

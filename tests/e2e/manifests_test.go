//go:build e2e

package e2e

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/honeydue/backend/tests/cluster"
)

var (
	unbuilt   = regexp.MustCompile(`ko://\S+`)
	namespace = regexp.MustCompile(`(?m)^((?:    |  )namespace: )honeydue$`)
)

// TestTheClusterAcceptsBothOverlays: every object that the cluster has a definition for passes its validation and admission
// without a warning. Those of Eventing, which it lacks, are validated with the other tests of the manifests.
func TestTheClusterAcceptsBothOverlays(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	// A namespace with the same rules, so that nothing that runs is in the way.
	const aside = "honeydue-aside"
	_, err := c.Kubectl(ctx, "", "create", "namespace", aside)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := c.Kubectl(context.WithoutCancel(ctx), "", "delete", "namespace", aside, "--wait=false")
		require.NoError(t, err)
	})
	_, err = c.Kubectl(ctx, "", "label", "namespace", aside, "app.kubernetes.io/part-of=honeydue",
		"pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted")
	require.NoError(t, err)
	for _, overlay := range []string{"cluster", "production"} {
		text, err := c.Kubectl(ctx, "", "kustomize", filepath.Join("..", "..", "knative", "overlays", overlay))
		require.NoError(t, err)
		text = unbuilt.ReplaceAllString(text, "registry.example/function@sha256:"+strings.Repeat("0", 64))
		text = namespace.ReplaceAllString(text, "${1}"+aside)
		var known []string
		eventing := 0
		for document := range strings.SplitSeq(text, "\n---\n") {
			var is struct{ APIVersion, Kind string }
			require.NoError(t, yaml.Unmarshal([]byte(document), &is))
			if group, _, _ := strings.Cut(is.APIVersion, "/"); group == "eventing.knative.dev" || group == "sources.knative.dev" {
				eventing++
				continue
			}
			known = append(known, document)
		}
		out, err := c.Kubectl(ctx, strings.Join(known, "\n---\n"), "apply", "--dry-run=server", "--warnings-as-errors", "-f", "-")
		require.NoError(t, err, overlay)
		require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), len(known), out)
		require.GreaterOrEqual(t, eventing, 1+len(c.Manifests.Schedules))
	}
}

// TestPodsHaveNothingThatTheyNeedNot: what runs has no token of the Kubernetes API, no root and no way to write.
func TestPodsHaveNothingThatTheyNeedNot(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	require.NoError(t, c.Phone().Read(ctx, "/api/health/", nil))
	out, err := c.Kubectl(ctx, "", "get", "pods", "-n", cluster.Namespace, "-o",
		`jsonpath={range .items[*]}{.metadata.name}{" "}{.spec.volumes[*].name}{" "}{.spec.containers[*].volumeMounts[*].mountPath}{" "}{.spec.containers[*].securityContext.readOnlyRootFilesystem}{"\n"}{end}`)
	require.NoError(t, err)
	require.NotEmpty(t, strings.TrimSpace(out))
	require.NotContains(t, out, "kube-api-access")
	require.NotContains(t, out, "serviceaccount")
	require.NotContains(t, out, "false")
	out, err = c.Kubectl(ctx, "", "get", "events", "-n", cluster.Namespace, "--field-selector=type=Warning", "-o", `jsonpath={.items[*].message}`)
	require.NoError(t, err)
	require.NotContains(t, out, "violates PodSecurity")
	require.NotContains(t, out, "exceeded quota")
}

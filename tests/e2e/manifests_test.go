//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/honeydue/backend/tests/cluster"
)

var (
	unbuilt   = regexp.MustCompile(`ko://\S+`)
	namespace = regexp.MustCompile(`(?m)^((?:    |  )namespace: )honeydue$`)
)

// aside is a namespace with the same rules, so that nothing that runs is in the way. Its label has a killed run's removed.
const aside = `apiVersion: v1
kind: Namespace
metadata:
  name: ` + cluster.Aside + `
  labels:
    app.kubernetes.io/part-of: honeydue
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
`

// TestTheClusterAcceptsBothOverlays: every object that the cluster has a definition for passes its validation and admission
// without a warning. Those of Eventing, which it lacks, are validated with the other tests of the manifests.
func TestTheClusterAcceptsBothOverlays(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	undo(t, func(ctx context.Context) {
		_, err := c.Kubectl(ctx, "", "delete", "namespace", cluster.Aside, "--ignore-not-found")
		require.NoError(t, err)
	})
	_, err := c.Kubectl(ctx, aside, "create", "-f", "-")
	require.NoError(t, err)
	for _, overlay := range []string{"cluster", "production"} {
		text, err := c.Kubectl(ctx, "", "kustomize", filepath.Join("..", "..", "knative", "overlays", overlay))
		require.NoError(t, err)
		text = unbuilt.ReplaceAllString(text, "registry.example/function@sha256:"+strings.Repeat("0", 64))
		text = namespace.ReplaceAllString(text, "${1}"+cluster.Aside)
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

// TestTheClusterAcceptsTraefiksTLS: what k3s/traefik asks of TLS, and its Service, are what the cluster's definitions know. K3s alone has HelmChartConfig: it is held
// against its fields here, its values against the chart's names by whoever changes them (docs/ingress.md).
func TestTheClusterAcceptsTraefiksTLS(t *testing.T) {
	ctx, c := within(t, time.Minute)
	text, err := c.Kubectl(ctx, "", "kustomize", filepath.Join("..", "..", "k3s", "traefik"))
	require.NoError(t, err)
	var known []string
	for document := range strings.SplitSeq(text, "\n---\n") {
		if !strings.Contains(document, "kind: HelmChartConfig\n") {
			known = append(known, document)
			continue
		}
		var config struct {
			APIVersion, Kind string
			Metadata         struct{ Name, Namespace string }
			Spec             struct{ FailurePolicy, ValuesContent string }
		}
		require.NoError(t, yaml.UnmarshalStrict([]byte(document), &config))
		require.Equal(t, "abort", config.Spec.FailurePolicy)
		var values map[string]any
		require.NoError(t, yaml.UnmarshalStrict([]byte(config.Spec.ValuesContent), &values))
		require.Equal(t, true, values["hostNetwork"])
	}
	require.Len(t, known, 3)
	out, err := c.Kubectl(ctx, strings.Join(known, "\n---\n"), "apply", "--dry-run=server", "--warnings-as-errors", "-f", "-")
	require.NoError(t, err)
	require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), len(known), out)
}

// TestTheClusterAcceptsWhatStandsBeside: Redis, NATS, the nightly dump, and what watches it all pass validation, and Pod Security as their namespaces enforce it.
func TestTheClusterAcceptsWhatStandsBeside(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	for folder, namespace := range map[string]string{"redis": "redis", "nats": "nats-io", "backup": "backup", "observability": "observability"} {
		text, err := c.Kubectl(ctx, "", "kustomize", filepath.Join("..", "..", "k3s", folder))
		require.NoError(t, err)
		text = unbuilt.ReplaceAllString(text, "registry.example/backup@sha256:"+strings.Repeat("0", 64))
		_, first, found := strings.Cut(text, "kind: Namespace\n")
		require.True(t, found)
		first, _, _ = strings.Cut(first, "\n---\n")
		undo(t, func(ctx context.Context) {
			_, err := c.Kubectl(ctx, "", "delete", "namespace", namespace, "--ignore-not-found")
			require.NoError(t, err)
		})
		_, err = c.Kubectl(ctx, "apiVersion: v1\nkind: Namespace\n"+first, "create", "-f", "-")
		require.NoError(t, err)
		out, err := c.Kubectl(ctx, text, "apply", "--dry-run=server", "--warnings-as-errors", "-f", "-")
		require.NoError(t, err)
		require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), strings.Count(text, "\nkind: "), out)
	}
}

// TestPodsHaveNothingThatTheyNeedNot: what runs has no token of the Kubernetes API, no root and no way to write.
func TestPodsHaveNothingThatTheyNeedNot(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	awake := map[string]bool{}
	for _, f := range c.Manifests.Functions {
		if len(f.Paths) == 0 {
			continue
		}
		get(ctx, t, c, cluster.PublicHost, f.Paths[0]+"/")
		awake[f.Name] = true
	}
	out, err := c.Kubectl(ctx, "", "get", "pods", "-n", cluster.Namespace, "-o", "json")
	require.NoError(t, err)
	var pods corev1.PodList
	require.NoError(t, json.Unmarshal([]byte(out), &pods))
	for _, pod := range pods.Items {
		delete(awake, pod.Labels["serving.knative.dev/service"])
		requireLittle(t, pod.Name, pod.Spec)
	}
	require.Empty(t, awake, "functions that answer and have no pod")
	out, err = c.Kubectl(ctx, "", "get", "events", "-n", cluster.Namespace, "--field-selector=type=Warning", "-o", `jsonpath={.items[*].message}`)
	require.NoError(t, err)
	require.NotContains(t, out, "violates PodSecurity")
	require.NotContains(t, out, "exceeded quota")
}

// requireLittle requires that a pod can neither write, nor become root, nor call the Kubernetes API.
func requireLittle(t *testing.T, pod string, spec corev1.PodSpec) {
	t.Helper()
	for _, volume := range spec.Volumes {
		require.NotContains(t, volume.Name, "kube-api-access", pod)
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			require.Nil(t, source.ServiceAccountToken, "%s: %s", pod, volume.Name)
		}
	}
	shared := spec.SecurityContext
	if shared == nil {
		shared = &corev1.PodSecurityContext{}
	}
	yes := true
	containers := slices.Concat(spec.InitContainers, spec.Containers)
	require.NotEmpty(t, containers, pod)
	for _, container := range containers {
		what := pod + ": " + container.Name
		may := container.SecurityContext
		require.NotNil(t, may, what)
		require.Equal(t, &yes, may.ReadOnlyRootFilesystem, what)
		require.Equal(t, &yes, cmp.Or(may.RunAsNonRoot, shared.RunAsNonRoot), what)
		require.Equal(t, new(bool), may.AllowPrivilegeEscalation, what)
		require.NotNil(t, may.Capabilities, what)
		require.Equal(t, []corev1.Capability{"ALL"}, may.Capabilities.Drop, what)
		require.Empty(t, may.Capabilities.Add, what)
		seccomp := cmp.Or(may.SeccompProfile, shared.SeccompProfile)
		require.NotNil(t, seccomp, what)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, seccomp.Type, what)
		for _, mount := range container.VolumeMounts {
			require.NotContains(t, mount.MountPath, "serviceaccount", what)
		}
	}
}

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestRevisionName(t *testing.T) {
	t.Parallel()
	configs := func(sink, unused, otel string) map[string]map[string]string {
		return map[string]map[string]string{"honeydue/honeydue": {"K_SINK": sink, "UNUSED": unused, "OTEL": otel}}
	}
	name := func(content string, configs map[string]map[string]string) string {
		f := documents(t, content)[0]
		require.NoError(t, nameRevision(f, configs))
		return revisionOf(f)
	}
	first := name(workloads, configs("a", "b", "c"))
	require.Regexp(t, `^tasks-[0-9a-f]{10}$`, first)
	require.Empty(t, validation.IsDNS1035Label(first))
	require.Equal(t, first, name(workloads, configs("a", "x", "c")), "a value that it does not take changes nothing")
	require.NotEqual(t, first, name(workloads, configs("x", "b", "c")), "a value that it takes is part of it")
	require.NotEqual(t, first, name(workloads, configs("a", "b", "x")), "one that it takes when there is one as well")
	require.NotEqual(t, first, name(strings.Replace(workloads, "value: x", "value: z", 1), configs("a", "b", "c")))
}

func TestRevisionNameIsStable(t *testing.T) {
	t.Parallel()
	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, nil))
	first := revisionOf(f)
	require.NoError(t, nameRevision(f, nil), "a name that is there already does not count")
	require.Equal(t, first, revisionOf(f))

	require.NoError(t, unstructured.SetNestedField(f.Object, "100", "spec", "template", "metadata", "annotations", "autoscaling.knative.dev/max-scale"))
	require.NoError(t, nameRevision(f, nil))
	require.NotEqual(t, first, revisionOf(f))
}

func TestTemplateOfTheSameRevisionIsKept(t *testing.T) {
	t.Parallel()
	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, nil))
	live := f.DeepCopy()
	require.NoError(t, unstructured.SetNestedField(live.Object, int64(300), "spec", "template", "spec", "timeoutSeconds"))

	require.NoError(t, keepTemplate(f, live))
	require.Equal(t, live, f, "with the defaults that Knative filled in")

	require.NoError(t, unstructured.SetNestedField(live.Object, "tasks-other", "spec", "template", "metadata", "name"))
	before := f.DeepCopy()
	require.NoError(t, keepTemplate(f, live))
	require.Equal(t, before, f)
	require.NoError(t, keepTemplate(f, nil))
	require.Equal(t, before, f)
}

func TestFirstFree(t *testing.T) {
	t.Parallel()
	for want, taken := range map[string][]string{
		"tasks-a":   {"tasks-b", "tasks-ab", "tasks-ab-7"},
		"tasks-a-2": {"tasks-a", "tasks-b-9"},
		"tasks-a-4": {"tasks-a-3", "tasks-a"},
		"tasks-a-8": {"tasks-a-7", "tasks-a-x"},
	} {
		require.Equal(t, want, firstFree("tasks-a", taken))
	}
	require.True(t, sameContent("tasks-a-2", "tasks-a"))
	require.False(t, sameContent("tasks-ab", "tasks-a"))
}

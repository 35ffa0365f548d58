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
	configs := func(sink, unused, otel string) *settings {
		return &settings{configs: map[string]map[string]string{"honeydue/honeydue": {"K_SINK": sink, "UNUSED": unused, "OTEL": otel}}}
	}
	name := func(content string, read *settings) string {
		f := documents(t, content)[0]
		require.NoError(t, nameRevision(f, read))
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
	require.NoError(t, nameRevision(f, &settings{}))
	first := revisionOf(f)
	require.NoError(t, nameRevision(f, &settings{}), "a name that is there already does not count")
	require.Equal(t, first, revisionOf(f))

	require.NoError(t, unstructured.SetNestedField(f.Object, "100", "spec", "template", "metadata", "annotations", "autoscaling.knative.dev/max-scale"))
	require.NoError(t, nameRevision(f, &settings{}))
	require.NotEqual(t, first, revisionOf(f))
}

func TestTemplateOfTheSameRevisionIsKept(t *testing.T) {
	t.Parallel()
	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, &settings{}))
	live := f.DeepCopy()
	require.NoError(t, unstructured.SetNestedField(live.Object, int64(300), "spec", "template", "spec", "timeoutSeconds"))

	require.NoError(t, keepTemplate(f, live))
	require.Equal(t, live, f, "with the defaults that Knative filled in")

	require.NoError(t, unstructured.SetNestedField(live.Object, "tasks-other", "spec", "template", "metadata", "name"))
	before := f.DeepCopy()
	require.NoError(t, keepTemplate(f, live))
	require.Equal(t, before, f)
}

func TestRevisionNameOfChangedSecret(t *testing.T) {
	t.Parallel()
	const template = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: tasks, namespace: honeydue}
spec:
  template:
    spec:
      containers:
        - image: a
          env: [{name: A, valueFrom: {secretKeyRef: {name: by-key, key: URL}}}, {name: B, valueFrom: {secretKeyRef: {name: optional, key: C, optional: true}}}]
          envFrom: [{secretRef: {name: whole}}]
      volumes: [{name: v, secret: {secretName: mounted}}, {name: w, projected: {sources: [{secret: {name: projected}}]}}]
`
	name := func(changed string) string {
		read := &settings{versions: map[string]string{}}
		has := keys{}
		read.addSecrets("by-key 1 URL\nwhole 1 X Y\nmounted 1\nprojected 1 Z\nother 1 URL\n", "honeydue", has)
		require.Equal(t, []string{"X", "Y"}, has[need{kind: kindSecret, namespace: "honeydue", name: "whole"}])
		if changed != "" {
			read.versions[changed] = "2"
		}
		f := documents(t, template)[0]
		require.NoError(t, nameRevision(f, read))
		return revisionOf(f)
	}
	first := name("")
	require.Equal(t, first, name("honeydue/other"))
	require.Equal(t, first, name("elsewhere/by-key"))
	for _, secret := range []string{"by-key", "whole", "mounted", "projected", "optional"} {
		require.NotEqual(t, first, name("honeydue/"+secret), secret)
	}
}

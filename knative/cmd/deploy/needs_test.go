package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const workloads = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: tasks, namespace: honeydue}
spec:
  template:
    spec:
      containers:
        - image: ko://example.com/tasks
          env:
            - {name: PLAIN, value: x}
            - {name: A, valueFrom: {secretKeyRef: {name: honeydue-tasks, key: DATABASE_URL}}}
            - {name: B, valueFrom: {configMapKeyRef: {name: honeydue, key: K_SINK}}}
            - {name: C, valueFrom: {configMapKeyRef: {name: honeydue, key: OTEL, optional: true}}}
---
# nothing but a comment
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: honeydue}
spec:
  template:
    spec:
      initContainers:
        - name: first
          image: a
          envFrom: [{secretRef: {name: all}}]
      containers:
        - name: second
          image: b
          env:
            - {name: A, valueFrom: {secretKeyRef: {name: honeydue-tasks, key: DATABASE_URL}}}
            - {name: B, valueFrom: {secretKeyRef: {name: honeydue-tasks, key: OTHER}}}
      volumes:
        - {name: v, projected: {sources: [{configMap: {name: files, items: [{key: one, path: one}]}}]}}
        - {name: w, secret: {secretName: certificates}}
`

func TestNeeds(t *testing.T) {
	t.Parallel()
	needs, err := needsOf(documents(t, workloads))
	require.NoError(t, err)
	require.Equal(t, []need{
		{kindConfigMap, "honeydue", "files", ""},
		{kindConfigMap, "honeydue", "files", "one"},
		{kindConfigMap, "honeydue", "honeydue", "K_SINK"},
		{kindSecret, "honeydue", "all", ""},
		{kindSecret, "honeydue", "certificates", ""},
		{kindSecret, "honeydue", "honeydue-tasks", "DATABASE_URL"},
		{kindSecret, "honeydue", "honeydue-tasks", "OTHER"},
	}, needs)
}

func TestMissing(t *testing.T) {
	t.Parallel()
	needs := []need{
		{kindConfigMap, "honeydue", "honeydue", "K_SINK"},
		{kindSecret, "honeydue", "honeydue-redis", "REDIS_URL"},
		{kindSecret, "honeydue", "honeydue-tasks", "DATABASE_URL"},
		{kindSecret, "honeydue", "honeydue-tasks", "OTHER"},
	}
	has := keys{
		{kind: kindConfigMap, namespace: "honeydue", name: "honeydue"}:    {"K_SINK"},
		{kind: kindSecret, namespace: "other", name: "honeydue-redis"}:    {"REDIS_URL"},
		{kind: kindSecret, namespace: "honeydue", name: "honeydue-tasks"}: {"OTHERS"},
	}
	missing := has.missing(needs)
	require.Equal(t, needs[1:], missing)

	err := explainMissing(missing, []string{"honeydue", "elsewhere"})
	require.ErrorContains(t, err, "lacks 3 keys")
	require.ErrorContains(t, err, "\n  kubectl create namespace honeydue\n")
	require.ErrorContains(t, err, "\n  kubectl -n honeydue create secret generic honeydue-redis --from-literal=REDIS_URL=…\n")
	require.ErrorContains(t, err, "\n  kubectl -n honeydue create secret generic honeydue-tasks --from-literal=DATABASE_URL=… --from-literal=OTHER=…")
	require.NotContains(t, err.Error(), "elsewhere")
}

func TestDigestsRequired(t *testing.T) {
	t.Parallel()
	err := requireDigests(documents(t, workloads))
	require.ErrorContains(t, err, "Service tasks: image ko://example.com/tasks is not named by its digest")
	require.ErrorContains(t, err, "Job migrate: image a is not")
}

// documents reads YAML of a test.
func documents(t *testing.T, content string) []*object {
	t.Helper()
	objects, err := decode([]byte(content))
	require.NoError(t, err)
	return objects
}

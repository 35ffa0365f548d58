package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLeftovers(t *testing.T) {
	t.Parallel()
	wanted := documents(t, `
{apiVersion: v1, kind: Namespace, metadata: {name: honeydue}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: honeydue, namespace: honeydue}}
---
{apiVersion: v1, kind: Secret, metadata: {name: honeydue, namespace: honeydue}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: migrate, namespace: honeydue}}
---
{apiVersion: v1, kind: Service, metadata: {name: broker-ingress, namespace: knative-eventing}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: tasks, namespace: honeydue}}
---
{apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {name: tasks, namespace: honeydue}}
`)
	require.Equal(t, []string{"configmap", "middleware.traefik.io", "service", "service.serving.knative.dev"}, listedKinds(wanted))

	found := documents(t, `
{apiVersion: v1, kind: ConfigMap, metadata: {name: honeydue, namespace: honeydue}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: old, namespace: honeydue}}
---
{apiVersion: v1, kind: Service, metadata: {name: tasks, namespace: honeydue, ownerReferences: [{kind: Route, name: tasks}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: broker-ingress, namespace: honeydue}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: tasks, namespace: honeydue}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: lists, namespace: honeydue}}
---
{apiVersion: traefik.io/v1, kind: Middleware, metadata: {name: tasks, namespace: honeydue}}
`)
	var names []string
	for _, o := range leftovers(found, wanted) {
		names = append(names, kindArgument(o)+" "+o.GetName())
	}
	require.Equal(t, []string{"configmap old", "service broker-ingress", "service.serving.knative.dev lists"}, names)
	require.Len(t, found, 7, "and it changes nothing of them")
}

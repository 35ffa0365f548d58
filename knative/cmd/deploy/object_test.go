package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const everything = `
{apiVersion: sources.knative.dev/v1, kind: PingSource, metadata: {name: outbox, labels: {app.kubernetes.io/name: schedules}}}
---
{apiVersion: eventing.knative.dev/v1, kind: Trigger, metadata: {name: sweeper-outbox, labels: {app.kubernetes.io/name: sweeper}}}
---
{apiVersion: eventing.knative.dev/v1, kind: Broker, metadata: {name: default}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: broker-ingress, labels: {app.kubernetes.io/name: eventing}}}
---
{apiVersion: traefik.io/v1alpha1, kind: IngressRoute, metadata: {name: tasks}}
---
{apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {name: tasks}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: tasks}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: migrate}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: auth}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: redis}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: honeydue}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}}
---
{apiVersion: v1, kind: Service, metadata: {name: broker-ingress}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: honeydue}}
`

func TestOrder(t *testing.T) {
	t.Parallel()
	names := func(objects []*object) []string {
		var all []string
		for _, o := range objects {
			all = append(all, o.GetKind()+" "+o.GetName())
		}
		return all
	}
	objects := documents(t, everything)
	require.Equal(t, []string{
		"Namespace honeydue",
		"NetworkPolicy deny", "Service broker-ingress",
		"PodDisruptionBudget auth", "Deployment redis",
	}, names(between(objects, stageNamespace, stageWorkload)))
	require.Equal(t, []string{"Job migrate", "ConfigMap honeydue", "Service tasks", "Middleware tasks", "IngressRoute tasks"},
		names(between(objects, stageMigrate, stageRoute)))
	require.Equal(t, []string{"Deployment broker-ingress"}, names(of(objects, stageStandIn)))
	require.Equal(t, []string{"Broker default", "PingSource outbox", "Trigger sweeper-outbox"},
		names(between(objects, stageBroker, stageEventing)))
}

func TestEncodingKeepsWhatItRead(t *testing.T) {
	t.Parallel()
	objects := documents(t, workloads)
	first, err := encode(objects)
	require.NoError(t, err)
	again := documents(t, string(first))
	require.Equal(t, objects, again)
	second, err := encode(again)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
}

func TestStandInKeepsWhatOthersHave(t *testing.T) {
	t.Parallel()
	served := documents(t, everything)[:3]
	wanted := documents(t, `{apiVersion: eventing.knative.dev/v1, kind: Trigger, metadata: {name: new, labels: {app.kubernetes.io/name: sweeper}}}`)
	var names []string
	for _, o := range replaceFunction(served, wanted, "sweeper") {
		names = append(names, o.GetName())
	}
	require.Equal(t, []string{"default", "outbox", "new"}, names)
	require.Len(t, replaceFunction(served, nil, "sweeper"), 2)
}

func TestGroups(t *testing.T) {
	t.Parallel()
	all := documents(t, everything)
	withoutStandIn := slices.Concat(all[:3], all[4:])
	groups := map[string]bool{"serving.knative.dev": true, "traefik.io": true}

	r := &rollout{overlay: "cluster", rendered: all, chosen: all}
	require.NoError(t, r.checkGroups(groups))
	require.True(t, r.standsIn)

	r = &rollout{overlay: "production", rendered: withoutStandIn, chosen: withoutStandIn}
	require.ErrorContains(t, r.checkGroups(groups), "install Knative Eventing")

	eventing := map[string]bool{"serving.knative.dev": true, "traefik.io": true, "eventing.knative.dev": true, "sources.knative.dev": true}
	require.NoError(t, r.checkGroups(eventing))
	require.False(t, r.standsIn)

	r = &rollout{overlay: "cluster", rendered: all, chosen: all}
	require.ErrorContains(t, r.checkGroups(eventing), "is this the right cluster", "a stand-in must not push Eventing aside")
	require.ErrorContains(t, r.checkGroups(map[string]bool{"traefik.io": true}), "install Knative Serving")
}

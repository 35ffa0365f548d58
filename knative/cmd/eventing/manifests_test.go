package main

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

const brokerYAML = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: honeydue}
`

const triggerYAML = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: sweeper, namespace: honeydue}
spec:
  broker: default
  filters:
    - exact: {type: dev.knative.sources.ping}
    - suffix: {source: /pingsources/outbox}
  subscriber:
    ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: sweeper, namespace: honeydue}
  delivery: {retry: 5, backoffPolicy: exponential, backoffDelay: PT1S}
`

const pingYAML = `apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: outbox, namespace: honeydue}
spec:
  schedule: "* * * * * *"
  timezone: Europe/Berlin
  contentType: application/json
  data: '{}'
  sink:
    ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, namespace: honeydue}
`

func files(texts ...string) fs.FS {
	fsys := fstest.MapFS{"readme.txt": {Data: []byte("not read")}}
	for i, text := range texts {
		fsys[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestLoad(t *testing.T) {
	t.Parallel()
	m, err := load(files(triggerYAML+"---\n"+pingYAML, "# nothing\n---\n"+brokerYAML), "honeydue")
	require.NoError(t, err)
	require.Equal(t, &manifests{
		namespace: "honeydue",
		triggers: map[string][]broker.Trigger{"default": {{
			Name: "sweeper",
			Filters: []broker.Filter{
				{Exact: map[string]string{"type": schedule.Type}}, {Suffix: map[string]string{"source": "/pingsources/outbox"}},
			},
			Subscriber: broker.Destination{Ref: &broker.Ref{
				APIVersion: "serving.knative.dev/v1", Kind: "Service", Name: "sweeper", Namespace: "honeydue",
			}},
			Delivery: &broker.Delivery{Retry: 5, BackoffPolicy: "exponential", BackoffDelay: "PT1S"},
		}}},
		schedules: []schedule.Source{{
			Namespace: "honeydue", Name: "outbox", Schedule: "* * * * * *", Timezone: "Europe/Berlin",
			ContentType: "application/json", Data: "{}",
			Sink: broker.Destination{Ref: &broker.Ref{
				APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default", Namespace: "honeydue",
			}},
		}},
	}, m)
}

// What production applies is what this program can serve.
func TestLoadOurs(t *testing.T) {
	t.Parallel()
	ours := fstest.MapFS{}
	for _, file := range []string{
		"namespace/broker.yaml", "notifications/trigger.yaml", "sweeper/trigger.yaml", "schedules/outbox.yaml", "schedules/deliveries.yaml",
		"schedules/reminders.yaml", "schedules/digests.yaml",
	} {
		text, err := os.ReadFile("../../" + file)
		require.NoError(t, err)
		ours[string(rune('a'+len(ours)))+".yaml"] = &fstest.MapFile{Data: text}
	}
	m, err := load(ours, "honeydue")
	require.NoError(t, err)
	require.Len(t, m.schedules, 4)
	for name, triggers := range m.triggers {
		require.NotEmpty(t, triggers)
		_, err := broker.New(broker.Options{Namespace: "honeydue", Name: name, Triggers: triggers})
		require.NoError(t, err)
	}
	for _, source := range m.schedules {
		require.NoError(t, source.Validate())
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t, namespace: honeydue}\n"
	for want, texts := range map[string][]string{
		"there is no Broker": {},
		`b.yaml: Trigger t: spec.broker: there is no Broker "other"`:         {brokerYAML, head + "spec: {broker: other, subscriber: {uri: 'http://x'}}\n"},
		`b.yaml: Trigger t: unknown field "spec.retries"`:                    {brokerYAML, head + "spec: {broker: default, retries: 5, subscriber: {uri: 'http://x'}}\n"},
		`b.yaml: Trigger t: unknown field "spec.Broker"`:                     {brokerYAML, head + "spec: {broker: default, Broker: x, subscriber: {uri: 'http://x'}}\n"},
		`b.yaml: Trigger t: unknown field "spec.filters[0].cesql"`:           {brokerYAML, head + "spec: {broker: default, filters: [{cesql: 'true'}], subscriber: {uri: 'http://x'}}\n"},
		`b.yaml: parse: yaml: unmarshal errors:`:                             {brokerYAML, head + "spec: {broker: default, broker: default}\n"},
		"b.yaml: Trigger t: decode: json: cannot unmarshal string":           {brokerYAML, head + "spec: {broker: default, delivery: {retry: five}}\n"},
		"b.yaml: parse: yaml: line":                                          {brokerYAML, head + "spec: {\n"},
		"a.yaml: Broker default: metadata.name: stands twice":                {brokerYAML + "---\n" + brokerYAML},
		"b.yaml: Trigger sweeper: metadata.name: stands twice":               {brokerYAML, triggerYAML + "---\n" + triggerYAML},
		"c.yaml: Trigger sweeper: metadata.name: stands twice":               {brokerYAML + "---\n" + strings.Replace(brokerYAML, "default", "other", 1), triggerYAML, strings.Replace(triggerYAML, "default", "other", 1)},
		"c.yaml: PingSource outbox: metadata.name: stands twice":             {brokerYAML, pingYAML, pingYAML},
		`b.yaml: Service x: metadata.namespace: is "", not "honeydue"`:       {brokerYAML, "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"},
		`b.yaml: Service x: apiVersion "v1": is not served`:                  {brokerYAML, "apiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: honeydue}\n"},
		`b.yaml: Broker d: apiVersion "eventing.knative.dev/v2": is not ser`: {brokerYAML, "apiVersion: eventing.knative.dev/v2\nkind: Broker\nmetadata: {name: d, namespace: honeydue}\n"},
		`b.yaml: PingSource p: unknown field "spec.cron"`:                    {brokerYAML, "apiVersion: sources.knative.dev/v1\nkind: PingSource\nmetadata: {name: p, namespace: honeydue}\nspec: {cron: x, schedule: '* * * * *', timezone: UTC, sink: {uri: 'http://x'}}\n"},
	} {
		_, err := load(files(texts...), "honeydue")
		require.ErrorContains(t, err, want)
	}
}

package broker_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
)

func ping(t testing.TB) event.Event {
	t.Helper()
	e := event.New()
	e.SetID("1")
	e.SetType("dev.knative.sources.ping")
	e.SetSource("/apis/v1/namespaces/honeydue/pingsources/outbox")
	e.SetTime(time.Date(2026, 3, 1, 7, 0, 0, 0, time.UTC))
	e.SetExtension("tenant", "blue")
	e.SetExtension("attempt", 3)
	e.SetExtension("final", true)
	return e
}

func TestFilter(t *testing.T) {
	t.Parallel()
	type attributes = map[string]string
	exact := func(name, value string) broker.Filter { return broker.Filter{Exact: attributes{name: value}} }
	isPing := exact("type", "dev.knative.sources.ping")
	fromOutbox := broker.Filter{Suffix: attributes{"source": "/pingsources/outbox"}}
	fromOther := broker.Filter{Suffix: attributes{"source": "/pingsources/deliveries"}}
	not := func(f broker.Filter) broker.Filter { return broker.Filter{Not: &f} }

	for name, test := range map[string]struct {
		filter broker.Filter
		want   bool
	}{
		"exact":                      {isPing, true},
		"exact, other value":         {exact("type", "dev.knative.sources"), false},
		"exact, case":                {exact("type", "DEV.knative.sources.ping"), false},
		"exact, each must hold":      {broker.Filter{Exact: attributes{"type": "dev.knative.sources.ping", "id": "2"}}, false},
		"exact, both hold":           {broker.Filter{Exact: attributes{"type": "dev.knative.sources.ping", "id": "1"}}, true},
		"exact, extension":           {exact("tenant", "blue"), true},
		"exact, integer extension":   {exact("attempt", "3"), true},
		"exact, boolean extension":   {exact("final", "true"), true},
		"exact, absent extension":    {exact("colour", "blue"), false},
		"exact, absent subject":      {exact("subject", "x"), false},
		"exact, specversion":         {exact("specversion", "1.0"), true},
		"exact, time":                {exact("time", "2026-03-01T07:00:00Z"), true},
		"prefix":                     {broker.Filter{Prefix: attributes{"type": "dev.knative."}}, true},
		"prefix, other":              {broker.Filter{Prefix: attributes{"type": "knative."}}, false},
		"prefix, absent":             {broker.Filter{Prefix: attributes{"subject": "a"}}, false},
		"suffix":                     {fromOutbox, true},
		"suffix, other":              {fromOther, false},
		"suffix, extension":          {broker.Filter{Suffix: attributes{"tenant": "ue"}}, true},
		"all":                        {broker.Filter{All: []broker.Filter{isPing, fromOutbox}}, true},
		"all, one fails":             {broker.Filter{All: []broker.Filter{isPing, fromOther}}, false},
		"any":                        {broker.Filter{Any: []broker.Filter{fromOther, fromOutbox}}, true},
		"any, none":                  {broker.Filter{Any: []broker.Filter{fromOther, exact("id", "2")}}, false},
		"not":                        {not(fromOther), true},
		"not, holds":                 {not(fromOutbox), false},
		"not, absent":                {not(exact("subject", "x")), true},
		"not not":                    {not(not(isPing)), true},
		"all of any and not":         {broker.Filter{All: []broker.Filter{{Any: []broker.Filter{fromOther, isPing}}, not(fromOther)}}, true},
		"not any of all":             {not(broker.Filter{Any: []broker.Filter{{All: []broker.Filter{isPing, fromOther}}, exact("id", "2")}}), true},
		"any of not, deep, none":     {broker.Filter{Any: []broker.Filter{not(broker.Filter{All: []broker.Filter{isPing, not(fromOther)}}), fromOther}}, false},
		"datacontenttype, not there": {exact("datacontenttype", "application/json"), false},
	} {
		require.NoError(t, test.filter.Validate("filters[0]"), name)
		require.Equal(t, test.want, test.filter.Matches(ping(t)), name)
	}
}

func TestFilterRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:            "filters[0]: wants exactly one",
		`{"exact": {}}`: "filters[0]: wants exactly one",
		`{"all": []}`:   "filters[0]: wants exactly one",
		`{"exact": {"id": "1"}, "not": {"exact": {"id": "1"}}}`: "filters[0]: wants exactly one",
		`{"exact": {"id": "1"}, "suffix": {"id": "1"}}`:         "filters[0]: wants exactly one",
		`{"exact": {"id": ""}}`:                                 "filters[0].exact.id: is empty",
		`{"prefix": {"Type": "x"}}`:                             `filters[0].prefix: "Type" is no attribute name`,
		`{"suffix": {"1type": "x"}}`:                            `filters[0].suffix: "1type" is no attribute name`,
		`{"suffix": {"my-type": "x"}}`:                          `filters[0].suffix: "my-type" is no attribute name`,
		`{"all": [{"exact": {"id": "1"}}, {}]}`:                 "filters[0].all[1]: wants exactly one",
		`{"any": [{"not": {"any": [{}]}}]}`:                     "filters[0].any[0].not.any[0]: wants exactly one",
		`{"not": {}}`:                                           "filters[0].not: wants exactly one",
	} {
		var filter broker.Filter
		require.NoError(t, json.Unmarshal([]byte(text), &filter), text)
		require.ErrorContains(t, filter.Validate("filters[0]"), want, text)
	}
}

func FuzzFilter(f *testing.F) {
	f.Add(`{"exact": {"type": "dev.knative.sources.ping"}}`)
	f.Add(`{"all": [{"any": [{"prefix": {"type": "dev"}}]}, {"not": {"suffix": {"source": "x"}}}]}`)
	f.Add(`{"not": {"not": {}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var filter broker.Filter
		if json.Unmarshal([]byte(text), &filter) != nil || filter.Validate("filters[0]") != nil {
			return
		}
		matched := filter.Matches(ping(t))
		require.Equal(t, !matched, broker.Filter{Not: &filter}.Matches(ping(t)))
		require.Equal(t, matched, broker.Filter{All: []broker.Filter{filter, filter}}.Matches(ping(t)))
		require.Equal(t, matched, broker.Filter{Any: []broker.Filter{filter, filter}}.Matches(ping(t)))
	})
}

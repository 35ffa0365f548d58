package broker_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	binary := map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Type": "t", "Ce-Source": "/s"}
	with := func(pairs ...string) map[string]string {
		headers := map[string]string{}
		for name, value := range binary {
			headers[name] = value
		}
		for i := 0; i < len(pairs); i += 2 {
			headers[pairs[i]] = pairs[i+1]
		}
		return headers
	}
	structured := map[string]string{"Content-Type": "application/cloudevents+json"}

	for name, test := range map[string]struct {
		method, path string
		headers      map[string]string
		body         string
		want         int
	}{
		"binary":                   {headers: binary, want: 202},
		"binary with data":         {headers: with("Content-Type", "application/json"), body: `{}`, want: 202},
		"data is not looked into":  {headers: with("Content-Type", "application/json"), body: `{`, want: 202},
		"slash at the end":         {path: "/honeydue/default/", headers: binary, want: 202},
		"extension":                {headers: with("Ce-Tenant", "blue"), want: 202},
		"letters beyond ASCII":     {headers: with("Ce-Subject", "Straße 7"), want: 202},
		"structured":               {headers: structured, body: `{"specversion":"1.0","id":"1","type":"t","source":"/s"}`, want: 202},
		"structured with data":     {headers: structured, body: `{"specversion":"1.0","id":"1","type":"t","source":"/s","tenant":3,"data":{"a":[1]}}`, want: 202},
		"structured, charset":      {headers: map[string]string{"Content-Type": "application/cloudevents+json; charset=utf-8"}, body: `{"specversion":"1.0","id":"1","type":"t","source":"/s"}`, want: 202},
		"largest":                  {headers: binary, body: strings.Repeat("a", 1<<20), want: 202},
		"too large":                {headers: binary, body: strings.Repeat("a", 1<<20+1), want: 413},
		"nothing":                  {want: 400},
		"JSON that is no event":    {headers: map[string]string{"Content-Type": "application/json"}, body: `{}`, want: 400},
		"no id":                    {headers: with("Ce-Id", ""), want: 400},
		"blank id":                 {headers: with("Ce-Id", " "), want: 400},
		"no type":                  {headers: with("Ce-Type", ""), want: 400},
		"no source":                {headers: with("Ce-Source", ""), want: 400},
		"no specversion":           {headers: with("Ce-Specversion", ""), want: 400},
		"specversion 0.3":          {headers: with("Ce-Specversion", "0.3"), want: 400},
		"specversion 2.0":          {headers: with("Ce-Specversion", "2.0"), want: 400},
		"source is no URI":         {headers: with("Ce-Source", "http://[::1"), want: 400},
		"time is none":             {headers: with("Ce-Time", "yesterday"), want: 400},
		"dataschema is no URI":     {headers: with("Ce-Dataschema", "::"), want: 400},
		"content type is none":     {headers: with("Content-Type", "a b c;;"), want: 400},
		"attribute without a name": {headers: with("Ce-", "x"), want: 400},
		"attribute's name":         {headers: with("Ce-My_ext", "x"), want: 400},
		"tab in an attribute":      {headers: with("Ce-Subject", "a\tb"), want: 400},
		"tab in an extension":      {headers: with("Ce-Tenant", "a\tb"), want: 400},
		"not UTF-8":                {headers: with("Ce-Subject", "\xff"), want: 400},
		"structured, broken":       {headers: structured, body: `{"specversion":"1.0"`, want: 400},
		"structured, empty":        {headers: structured, want: 400},
		"structured, no id":        {headers: structured, body: `{"specversion":"1.0","type":"t","source":"/s"}`, want: 400},
		"structured, 0.3":          {headers: structured, body: `{"specversion":"0.3","id":"1","type":"t","source":"/s"}`, want: 400},
		"structured, number id":    {headers: structured, body: `{"specversion":"1.0","id":1,"type":"t","source":"/s"}`, want: 400},
		"structured, control":      {headers: structured, body: `{"specversion":"1.0","id":"a\r\nb: c","type":"t","source":"/s"}`, want: 400},
		"structured, extension":    {headers: structured, body: `{"specversion":"1.0","id":"1","type":"t","source":"/s","tenant":"a\u0000"}`, want: 400},
		"structured, nested":       {headers: structured, body: `{"specversion":"1.0","id":"1","type":"t","source":"/s","tenant":{"a":1}}`, want: 400},
		"batch":                    {headers: map[string]string{"Content-Type": "application/cloudevents-batch+json"}, body: `[{"specversion":"1.0","id":"1","type":"t","source":"/s"}]`, want: 400},
		"batch, empty":             {headers: map[string]string{"Content-Type": "application/cloudevents-batch+json"}, body: `[]`, want: 400},
		"last of its TTL":          {headers: with("Ce-Knativebrokerttl", "1"), want: 400},
		"TTL long over":            {headers: with("Ce-Knativebrokerttl", "-2147483648"), want: 400},
		"TTL left":                 {headers: with("Ce-Knativebrokerttl", "2"), want: 202},
		"TTL is no number":         {headers: with("Ce-Knativebrokerttl", "many"), want: 202},
		"unknown broker":           {path: "/honeydue/other", headers: binary, want: 404},
		"unknown namespace":        {path: "/other/default", headers: binary, want: 404},
		"root":                     {path: "/", headers: binary, want: 404},
		"below":                    {path: "/honeydue/default/x", headers: binary, want: 404},
		"case":                     {path: "/honeydue/Default", headers: binary, want: 404},
		"GET":                      {method: http.MethodGet, headers: binary, want: 405},
		"PUT":                      {method: http.MethodPut, headers: binary, want: 405},
		"DELETE":                   {method: http.MethodDelete, headers: binary, want: 405},
		"webhook handshake":        {method: http.MethodOptions, want: 200},
	} {
		path := test.path
		if path == "" {
			path = "/honeydue/default"
		}
		method := test.method
		if method == "" {
			method = http.MethodPost
		}
		req, err := http.NewRequest(method, strings.TrimSuffix(b.url, "/honeydue/default")+path, strings.NewReader(test.body))
		require.NoError(t, err, name)
		for header, value := range test.headers {
			if value != "" {
				req.Header[header] = []string{value}
			}
		}
		resp := do(t, req)
		require.Equal(t, test.want, resp.StatusCode, name)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err, name)
		switch test.want {
		case http.StatusAccepted:
			require.Empty(t, body, name)
		case http.StatusMethodNotAllowed:
			require.Equal(t, "POST, OPTIONS", resp.Header.Get("Allow"), name)
		}
	}
}

func TestAnswerEchoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, headers := range [][]string{
		{"Ce-Time", "marker-value"}, {"Ce-Specversion", "marker-value"}, {"Ce-Marker-value", "x"},
		{"Ce-Subject", "marker\tvalue"}, {"Ce-Source", "http://[marker-value"},
	} {
		resp := b.publish(t, headers...)
		require.Equal(t, http.StatusBadRequest, resp.StatusCode, headers)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NotContains(t, strings.ToLower(string(body)), "marker", headers)
	}
}

// An event is taken while its consumer hangs, until as many are held as may be; then senders are told to come
// back, and can.
func TestFull(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]func(*broker.Options){
		"events": func(o *broker.Options) { o.MaxEvents = 3 },
		"bytes":  func(o *broker.Options) { o.MaxBytes = 39 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hang := make(chan struct{})
			c := newConsumer(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
				<-hang
				w.WriteHeader(http.StatusNoContent)
			})
			b := setup(t, trigger(c, broker.Delivery{}), bound)
			for range 3 {
				require.Equal(t, http.StatusAccepted, b.publish(t).StatusCode)
			}
			resp := b.publish(t)
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
			require.Equal(t, "1", resp.Header.Get("Retry-After"))
			close(hang)
			for range 3 {
				b.end(t, "notifications")
			}
			require.Eventually(t, func() bool { return b.publish(t).StatusCode == http.StatusAccepted }, patience, 1e6)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []broker.Options{{Name: "default"}, {Namespace: "honeydue"}} {
		_, err := broker.New(o)
		require.ErrorContains(t, err, "wants a namespace and a name")
	}
	to := broker.Destination{URI: "http://127.0.0.1:1"}
	for want, trigger := range map[string]broker.Trigger{
		"subscriber: wants ref or uri":                 {},
		"subscriber: ref: wants kind and name":         {Subscriber: broker.Destination{Ref: &broker.Ref{Kind: "Service"}}},
		"subscriber: uri: is no absolute http address": {Subscriber: broker.Destination{URI: "ftp://x"}},
		"filters[0]: wants exactly one":                {Subscriber: to, Filters: []broker.Filter{{}}},
		`filter.attributes: "A" is no attribute name`:  {Subscriber: to, Attributes: map[string]string{"A": "b"}},
		"delivery.retry: is negative":                  {Subscriber: to, Delivery: &broker.Delivery{Retry: -1}},
		`delivery.backoffPolicy: "random" is neither`:  {Subscriber: to, Delivery: &broker.Delivery{BackoffPolicy: "random"}},
		`delivery.backoffDelay: "1s" is no ISO 8601`:   {Subscriber: to, Delivery: &broker.Delivery{BackoffDelay: "1s"}},
		`delivery.timeout: "60" is no ISO 8601`:        {Subscriber: to, Delivery: &broker.Delivery{Timeout: "60"}},
		"delivery.timeout: is zero":                    {Subscriber: to, Delivery: &broker.Delivery{Timeout: "PT0S"}},
		`delivery.retryAfterMax: "PT" is no ISO 8601`:  {Subscriber: to, Delivery: &broker.Delivery{RetryAfterMax: "PT"}},
		"delivery.deadLetterSink: wants ref or uri":    {Subscriber: to, Delivery: &broker.Delivery{DeadLetterSink: &broker.Destination{}}},
	} {
		trigger.Name = "mail"
		_, err := broker.New(broker.Options{Namespace: "honeydue", Name: "default", Triggers: []broker.Trigger{trigger}})
		require.ErrorContains(t, err, "trigger mail: "+want)
	}
}

func FuzzServe(f *testing.F) {
	f.Add("application/cloudevents+json", "Ce-Id", "1", []byte(`{"specversion":"1.0","id":"1","type":"t","source":"/s"}`))
	f.Add("application/json", "Ce-Time", "2026-03-01T07:00:00Z", []byte(`{}`))
	f.Add("text/plain", "Ce-", "1", []byte{})
	f.Fuzz(func(t *testing.T, contentType, name, value string, body []byte) {
		b, err := broker.New(broker.Options{Namespace: "honeydue", Name: "default"})
		require.NoError(t, err)
		req := httptest.NewRequest(http.MethodPost, "/honeydue/default", bytes.NewReader(body))
		req.Header = http.Header{
			"Ce-Specversion": {"1.0"}, "Ce-Type": {"t"}, "Ce-Id": {"1"}, "Ce-Source": {"/s"}, "Content-Type": {contentType},
		}
		req.Header.Set(name, value)
		answer := httptest.NewRecorder()
		b.ServeHTTP(answer, req)
		require.Contains(t, []int{202, 400, 413}, answer.Code)
		require.NoError(t, b.Close(context.Background()))
	})
}

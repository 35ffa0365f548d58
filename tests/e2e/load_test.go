//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// rate is the steady load, in requests a second; every tenth is a write.
const rate = 50

// A load calls tasks through the ingress, at its rate whatever the answers are, on connections that are kept. It tries nothing
// again; net/http alone sends a GET once more when the kept connection that it went to turns out to be closed.
type load struct {
	attacker *vegeta.Attacker
	ended    chan struct{}
	metrics  vegeta.Metrics
	failures []failure
}

// A failure is an answer that is not a 2xx, or none.
type failure struct {
	began, ended time.Time
	what         string
}

func startLoad(t *testing.T, c *cluster.Cluster, name string, done *story.Done) *load {
	t.Helper()
	phone := c.Phone()
	phone.Token = done.Owner.Token
	l := &load{
		attacker: vegeta.NewAttacker(vegeta.Client(phone.Client)),
		ended:    make(chan struct{}),
	}
	results := l.attacker.Attack(targets(phone, done), vegeta.ConstantPacer{Freq: rate, Per: time.Second}, 0, name)
	go func() {
		defer close(l.ended)
		for r := range results {
			l.metrics.Add(r)
			if r.Code < 200 || r.Code > 299 {
				l.failures = append(l.failures, failure{r.Timestamp, r.End(), fmt.Sprintf("%s %s: %d %s %.120s", r.Method, r.URL, r.Code, r.Error, r.Body)})
			}
		}
		l.metrics.Close()
	}()
	t.Cleanup(func() { l.stop(t) })
	return l
}

func targets(phone *story.Phone, done *story.Done) vegeta.Targeter {
	header := http.Header{"Authorization": {"Token " + phone.Token}, "Content-Type": {"application/json"}, "X-Forwarded-For": {phone.Address}}
	task := fmt.Sprintf("%s/api/tasks/%d/", phone.URL, done.Task)
	reads := []string{
		phone.URL + "/api/tasks/", task, phone.URL + "/api/lookups/",
		fmt.Sprintf("%s/api/task-completions/?task_id=%d", phone.URL, done.Task),
		fmt.Sprintf("%s/api/tasks/by-residence/%d/", phone.URL, done.Residence),
	}
	const everyTenth = 10
	var n atomic.Int64
	return func(to *vegeta.Target) error {
		i := n.Add(1)
		*to = vegeta.Target{Method: http.MethodGet, URL: reads[i%int64(len(reads))], Header: header}
		if i%everyTenth == 0 {
			to.Method, to.URL, to.Body = http.MethodPatch, task, fmt.Appendf(nil, `{"title": "Clean the gutters, change %d"}`, i)
		}
		return nil
	}
}

// stop ends the load, waits for the last answer, prints what was measured and returns what failed.
func (l *load) stop(t *testing.T) []failure {
	t.Helper()
	if !l.attacker.Stop() {
		<-l.ended
		return l.failures
	}
	<-l.ended
	m := l.metrics
	t.Logf("%d requests at %.1f a second, %d failed; p50 %s, p99 %s, longest %s", m.Requests, m.Rate, len(l.failures),
		m.Latencies.P50.Round(100*time.Microsecond), m.Latencies.P99.Round(100*time.Microsecond), m.Latencies.Max.Round(100*time.Microsecond))
	return l.failures
}

// requireNone requires that no request of the load failed, and that there were as many as its rate asks for.
func (l *load) requireNone(t *testing.T) {
	t.Helper()
	failures := l.stop(t)
	if len(failures) > 0 {
		first := l.metrics.Earliest
		for _, f := range failures[:min(len(failures), 20)] {
			t.Logf("failed from %.2f s to %.2f s: %s", f.began.Sub(first).Seconds(), f.ended.Sub(first).Seconds(), f.what)
		}
	}
	require.Empty(t, failures, "failed requests")
	require.InDelta(t, rate, l.metrics.Rate, 1, "the load was steady")
}

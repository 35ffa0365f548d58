package local

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// metricsPath is where processes send their metrics by OTLP, and where Prometheus may fetch them.
const metricsPath = "/_local/metrics"

const (
	// forgotten is when a process is that sends nothing any more, as in a store of metrics.
	forgotten = 5 * time.Minute

	// mostSent is more than a process sends at once, in bytes.
	mostSent = 8 << 20
)

// metrics stands for what stores metrics in production: it takes OTLP, translates names as the specification of OpenTelemetry has it
// done for Prometheus, and keeps what each process said last.
type metrics struct {
	mu    sync.Mutex
	said  map[string]report // by process
	names otlptranslator.MetricNamer
	keys  otlptranslator.LabelNamer
}

// A report is what a process said, by series, and when it last said anything. A gauge is said once, and stays until it is forgotten.
type report struct {
	at     time.Time
	series map[string]said
}

type said struct {
	at     time.Time
	metric prometheus.Metric
	stays  bool
}

func newMetrics() *metrics {
	return &metrics{said: map[string]report{}, names: otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)}
}

// serve answers with all metrics in the text format of Prometheus.
func (m *metrics) serve() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Describe says nothing: what there will be is for functions to know.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect returns what processes said that are still there.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for process, r := range m.said {
		if time.Since(r.at) > forgotten {
			delete(m.said, process)
			continue
		}
		for _, s := range r.series {
			to <- s.metric
		}
	}
}

// take takes a request of the OTLP service for metrics, in protobuf.
func (m *metrics) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostSent))
	if err != nil {
		problem(w, http.StatusBadRequest, "The body could not be read.")
		return
	}
	// Its only field has the number that the request's has.
	var data metricspb.MetricsData
	if err := proto.Unmarshal(body, &data); err != nil {
		problem(w, http.StatusBadRequest, "This is no protobuf of OTLP metrics.")
		return
	}
	for _, resource := range data.GetResourceMetrics() {
		of := m.labels(resource.GetResource().GetAttributes())
		all := map[string]said{}
		for _, scope := range resource.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				if err := m.translate(metric, of, all); err != nil {
					problem(w, http.StatusBadRequest, "A metric cannot be translated: "+err.Error())
					return
				}
			}
		}
		m.keep(of["service_name"]+" "+of["service_instance_id"], all)
	}
	w.WriteHeader(http.StatusOK)
}

// keep puts what a process says now in the place of what it said before, but gauges that it says nothing of.
func (m *metrics) keep(process string, all map[string]said) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, before := range m.said[process].series {
		if _, again := all[key]; before.stays && !again && time.Since(before.at) < forgotten {
			all[key] = before
		}
	}
	m.said[process] = report{time.Now(), all}
}

// labels are attributes under the names that Prometheus can have.
func (m *metrics) labels(attributes []*commonpb.KeyValue) prometheus.Labels {
	labels := prometheus.Labels{}
	for _, a := range attributes {
		name, err := m.keys.Build(a.GetKey())
		if err != nil {
			continue
		}
		value := a.GetValue().GetStringValue()
		if n, ok := a.GetValue().GetValue().(*commonpb.AnyValue_IntValue); ok {
			value = strconv.FormatInt(n.IntValue, 10)
		}
		labels[name] = value
	}
	return labels
}

// translate puts the last point of each series of metric into all, with the labels of its process.
func (m *metrics) translate(metric *metricspb.Metric, of prometheus.Labels, all map[string]said) error {
	kind, value := otlptranslator.MetricType(otlptranslator.MetricTypeGauge), prometheus.GaugeValue
	points := metric.GetGauge().GetDataPoints()
	if sum := metric.GetSum(); sum != nil {
		points, kind = sum.GetDataPoints(), otlptranslator.MetricTypeNonMonotonicCounter
		if sum.GetIsMonotonic() {
			kind, value = otlptranslator.MetricTypeMonotonicCounter, prometheus.CounterValue
		}
	}
	if metric.GetHistogram() != nil {
		kind = otlptranslator.MetricTypeHistogram
	}
	name, err := m.names.Build(otlptranslator.Metric{Name: metric.GetName(), Unit: metric.GetUnit(), Type: kind})
	if err != nil {
		return fmt.Errorf("name %s: %w", metric.GetName(), err)
	}
	keep := func(attributes []*commonpb.KeyValue, build func(*prometheus.Desc) (prometheus.Metric, error)) error {
		labels := m.labels(attributes)
		for name, value := range of {
			labels[name] = value
		}
		built, err := build(prometheus.NewDesc(name, metric.GetDescription(), nil, labels))
		if err != nil {
			return fmt.Errorf("metric %s: %w", name, err)
		}
		all[name+fmt.Sprint(labels)] = said{time.Now(), built, metric.GetGauge() != nil}
		return nil
	}
	for _, p := range points {
		if err := keep(p.GetAttributes(), func(d *prometheus.Desc) (prometheus.Metric, error) {
			return prometheus.NewConstMetric(d, value, p.GetAsDouble()+float64(p.GetAsInt()))
		}); err != nil {
			return err
		}
	}
	for _, p := range metric.GetHistogram().GetDataPoints() {
		if len(p.GetBucketCounts()) <= len(p.GetExplicitBounds()) {
			return fmt.Errorf("histogram %s has fewer counts than bounds", name)
		}
		if err := keep(p.GetAttributes(), func(d *prometheus.Desc) (prometheus.Metric, error) {
			return prometheus.NewConstHistogram(d, p.GetCount(), p.GetSum(), cumulative(p))
		}); err != nil {
			return err
		}
	}
	return nil
}

// cumulative returns how many values were at most each bound, where OTLP says how many lay between two.
func cumulative(p *metricspb.HistogramDataPoint) map[float64]uint64 {
	buckets, below := map[float64]uint64{}, uint64(0)
	for i, bound := range p.GetExplicitBounds() {
		below += p.GetBucketCounts()[i]
		buckets[bound] = below
	}
	return buckets
}

package local

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

// say sends what a process has to say, and returns the status.
func say(t *testing.T, m *metrics, process string, all ...*metricspb.Metric) int {
	t.Helper()
	body, err := proto.Marshal(&metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource:     &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", "tasks"), text("service.instance.id", process)}},
		ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: all}},
	}}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	m.take(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, metricsPath, bytes.NewReader(body)))
	return w.Code
}

func read(t *testing.T, m *metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.serve().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, metricsPath, http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func things(n ...int64) *metricspb.Metric {
	sum := &metricspb.Sum{IsMonotonic: true, AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}
	for _, n := range n {
		sum.DataPoints = append(sum.DataPoints, &metricspb.NumberDataPoint{
			Attributes: []*commonpb.KeyValue{text("outcome", "put off")}, Value: &metricspb.NumberDataPoint_AsInt{AsInt: n},
		})
	}
	return &metricspb.Metric{Name: "honeydue.things", Unit: "{thing}", Data: &metricspb.Metric_Sum{Sum: sum}}
}

func TestMetricsAreToldAsPrometheusReadsThem(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	took := &metricspb.Metric{Name: "http.server.request.duration", Unit: "s", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
		DataPoints: []*metricspb.HistogramDataPoint{{Count: 6, Sum: proto.Float64(2), ExplicitBounds: []float64{0.1, 1}, BucketCounts: []uint64{1, 2, 3}}},
	}}}
	require.Equal(t, 200, say(t, m, "a", things(0, 7), took))
	height := &metricspb.Metric{Name: "height", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{
		DataPoints: []*metricspb.NumberDataPoint{{Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: 2.5}}},
	}}}
	require.Equal(t, 200, say(t, m, "b", things(2), height))
	require.Equal(t, 200, say(t, m, "b", things(3)))
	told := read(t, m)
	for _, line := range []string{
		`honeydue_things_total{outcome="put off",service_instance_id="a",service_name="tasks"} 7`,
		`honeydue_things_total{outcome="put off",service_instance_id="b",service_name="tasks"} 3`,
		`http_server_request_duration_seconds_bucket{service_instance_id="a",service_name="tasks",le="0.1"} 1`,
		`http_server_request_duration_seconds_bucket{service_instance_id="a",service_name="tasks",le="1"} 3`,
		`http_server_request_duration_seconds_bucket{service_instance_id="a",service_name="tasks",le="+Inf"} 6`,
		`height{service_instance_id="b",service_name="tasks"} 2.5`,
		`http_server_request_duration_seconds_sum{service_instance_id="a",service_name="tasks"} 2`,
	} {
		require.Contains(t, told, line+"\n")
	}

	gone := m.said["tasks a"]
	gone.at = time.Now().Add(-forgotten - time.Second)
	m.said["tasks a"] = gone
	told = read(t, m)
	require.NotContains(t, told, `service_instance_id="a"`)
	require.Contains(t, told, `service_instance_id="b"`)
}

func TestWhatIsNoMetric(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	w := httptest.NewRecorder()
	m.take(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, metricsPath, bytes.NewReader([]byte("x"))))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Equal(t, http.StatusBadRequest, say(t, m, "a", &metricspb.Metric{Data: &metricspb.Metric_Gauge{}}), "without a name")
	short := &metricspb.Metric{Name: "x", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
		DataPoints: []*metricspb.HistogramDataPoint{{ExplicitBounds: []float64{1, 2}, BucketCounts: []uint64{1}}},
	}}}
	require.Equal(t, http.StatusBadRequest, say(t, m, "a", short), "fewer counts than bounds")
	require.Empty(t, read(t, m))
}

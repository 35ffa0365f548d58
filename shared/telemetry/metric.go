package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/protobuf/proto"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// interval is how often figures are sent while a process lives; the last ones are sent at its end.
const interval = 15 * time.Second

// An exporter sends cumulative figures. A pod may live for a minute, and what a counter already is when it is first told of counts
// for nothing, so it begins each one with a point of zero: at the time of the export before, when it was not there yet.
type exporter struct {
	client *client
	told   map[series]bool
	last   time.Time
}

type series struct {
	metric     string
	attributes attribute.Distinct
}

func newExporter(c *client) *exporter { return &exporter{client: c, told: map[series]bool{}} }

// Temporality is cumulative: what was lost on its way is in the next one. A gauge is sent once: what somebody saw a while ago is not to
// look as if it was so now.
func (e *exporter) Temporality(kind metric.InstrumentKind) metricdata.Temporality {
	if kind == metric.InstrumentKindGauge {
		return metricdata.DeltaTemporality
	}
	return metricdata.CumulativeTemporality
}

// Aggregation is the SDK's usual one.
func (e *exporter) Aggregation(kind metric.InstrumentKind) metric.Aggregation {
	return metric.DefaultAggregationSelector(kind)
}

// Export sends all figures once. The SDK calls it from one goroutine at a time.
func (e *exporter) Export(ctx context.Context, all *metricdata.ResourceMetrics) error {
	var fresh []series
	out := &metricspb.ResourceMetrics{Resource: &resourcepb.Resource{Attributes: keyValues(all.Resource.Iter())}}
	for _, scope := range all.ScopeMetrics {
		metrics := &metricspb.ScopeMetrics{Scope: &commonpb.InstrumentationScope{Name: scope.Scope.Name}}
		for _, m := range scope.Metrics {
			encoded, first := e.encode(m)
			metrics.Metrics = append(metrics.Metrics, encoded)
			fresh = append(fresh, first...)
		}
		out.ScopeMetrics = append(out.ScopeMetrics, metrics)
	}
	// Its only field has the number that the request of the OTLP service gives it.
	body, err := proto.Marshal(&metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{out}})
	if err != nil {
		return fmt.Errorf("encode metrics: %w", err)
	}
	now := time.Now()
	if err := e.client.send(ctx, body); err != nil {
		return err
	}
	for _, s := range fresh {
		e.told[s] = true
	}
	e.last = now
	return nil
}

// ForceFlush has nothing to do: nothing is kept back.
func (e *exporter) ForceFlush(context.Context) error { return nil }

// Shutdown ends idle connections.
func (e *exporter) Shutdown(ctx context.Context) error { return e.client.Stop(ctx) }

// encode returns m with a point of zero before what was never sent, and what that is.
func (e *exporter) encode(m metricdata.Metrics) (*metricspb.Metric, []series) {
	out := &metricspb.Metric{Name: m.Name, Description: m.Description, Unit: m.Unit}
	var fresh []series
	isNew := func(attributes attribute.Set) bool {
		s := series{m.Name, attributes.Equivalent()}
		if e.told[s] {
			return false
		}
		fresh = append(fresh, s)
		return true
	}
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		out.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: numbers(data.DataPoints, nil, e.last)}}
	case metricdata.Gauge[float64]:
		out.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: numbers(data.DataPoints, nil, e.last)}}
	case metricdata.Sum[int64]:
		out.Data = sum(data, isNew, e.last)
	case metricdata.Sum[float64]:
		out.Data = sum(data, isNew, e.last)
	case metricdata.Histogram[float64]:
		out.Data = &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
			AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
			DataPoints:             histograms(data.DataPoints, isNew, e.last),
		}}
	}
	return out, fresh
}

func sum[N int64 | float64](data metricdata.Sum[N], isNew func(attribute.Set) bool, last time.Time) *metricspb.Metric_Sum {
	if !data.IsMonotonic {
		isNew = nil // it may well begin with what it is
	}
	return &metricspb.Metric_Sum{Sum: &metricspb.Sum{
		AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
		IsMonotonic:            data.IsMonotonic,
		DataPoints:             numbers(data.DataPoints, isNew, last),
	}}
}

func numbers[N int64 | float64](points []metricdata.DataPoint[N], isNew func(attribute.Set) bool, last time.Time) []*metricspb.NumberDataPoint {
	out := make([]*metricspb.NumberDataPoint, 0, len(points))
	for _, p := range points {
		attributes := keyValues(p.Attributes.Iter())
		add := func(value N, at time.Time) {
			point := &metricspb.NumberDataPoint{Attributes: attributes, StartTimeUnixNano: nanos(p.StartTime), TimeUnixNano: nanos(at)}
			switch v := any(value).(type) {
			case int64:
				point.Value = &metricspb.NumberDataPoint_AsInt{AsInt: v}
			case float64:
				point.Value = &metricspb.NumberDataPoint_AsDouble{AsDouble: v}
			}
			out = append(out, point)
		}
		if isNew != nil && isNew(p.Attributes) {
			add(0, later(p.StartTime, last))
		}
		add(p.Value, p.Time)
	}
	return out
}

func histograms(points []metricdata.HistogramDataPoint[float64], isNew func(attribute.Set) bool, last time.Time) []*metricspb.HistogramDataPoint {
	out := make([]*metricspb.HistogramDataPoint, 0, len(points))
	for _, p := range points {
		point := &metricspb.HistogramDataPoint{
			Attributes: keyValues(p.Attributes.Iter()), StartTimeUnixNano: nanos(p.StartTime), TimeUnixNano: nanos(p.Time),
			Count: p.Count, Sum: &p.Sum, ExplicitBounds: p.Bounds, BucketCounts: p.BucketCounts,
		}
		for _, x := range p.Exemplars {
			left := attribute.NewSet(x.FilteredAttributes...)
			point.Exemplars = append(point.Exemplars, &metricspb.Exemplar{
				FilteredAttributes: keyValues(left.Iter()), TimeUnixNano: nanos(x.Time),
				Value: &metricspb.Exemplar_AsDouble{AsDouble: x.Value}, SpanId: x.SpanID, TraceId: x.TraceID,
			})
		}
		if isNew(p.Attributes) {
			out = append(out, &metricspb.HistogramDataPoint{
				Attributes: point.GetAttributes(), StartTimeUnixNano: point.GetStartTimeUnixNano(), TimeUnixNano: nanos(later(p.StartTime, last)),
				Sum: new(float64), ExplicitBounds: p.Bounds, BucketCounts: make([]uint64, len(p.BucketCounts)),
			})
		}
		out = append(out, point)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func nanos(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

// keyValues are texts and whole numbers: nothing else is an attribute of ours.
func keyValues(attributes attribute.Iterator) []*commonpb.KeyValue {
	out := make([]*commonpb.KeyValue, 0, attributes.Len())
	for attributes.Next() {
		a := attributes.Attribute()
		value := &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: a.Value.String()}}
		if a.Value.Type() == attribute.INT64 {
			value.Value = &commonpb.AnyValue_IntValue{IntValue: a.Value.AsInt64()}
		}
		out = append(out, &commonpb.KeyValue{Key: string(a.Key), Value: value})
	}
	return out
}

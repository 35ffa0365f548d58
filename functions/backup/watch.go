package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/telemetry"
)

var meter = otel.Meter("github.com/honeydue/backend/functions/backup")

var (
	lastBackup, _ = meter.Float64Gauge("honeydue.backup.last", metric.WithUnit("s"),
		metric.WithDescription("When the last whole one of a kind was made, in seconds since 1970; 0 when there is none"))
	certificateEnd, _ = meter.Float64Gauge("honeydue.certificate.end", metric.WithUnit("s"),
		metric.WithDescription("When a certificate ends, in seconds since 1970"))
)

// sending has what look finds out sent with the metrics, even when there is more that it could not find out.
func sending(ctx context.Context, cfg telemetry.Config, out io.Writer, look func() error) error {
	if cfg.Metrics == "" {
		return errors.New("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is not set: there is nowhere to send to")
	}
	sent, err := telemetry.Open(ctx, telemetry.Config{Metrics: cfg.Metrics}, "backup", slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		return err
	}
	return errors.Join(look(), sent.Close(context.WithoutCancel(ctx)))
}

// watched says of each kind of backup when the last one was made that is whole; the zero time when there is none.
var watched = map[string]func(ctx context.Context, cfg config, store *bucket.Bucket) (time.Time, error){
	"database": lastDump,
	"etcd":     lastSnapshot,
}

func lastDump(ctx context.Context, _ config, store *bucket.Bucket) (time.Time, error) {
	found, err := dumps(ctx, store)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for dumps: %w", err)
	}
	if i := slices.IndexFunc(found, func(d dumped) bool { return d.whole }); i >= 0 {
		return found[i].at, nil
	}
	return time.Time{}, nil
}

func lastSnapshot(ctx context.Context, cfg config, store *bucket.Bucket) (last time.Time, err error) {
	if err := each(ctx, store, cfg.Snapshots, func(o bucket.Object) {
		if o.ModifiedAt.After(last) {
			last = o.ModifiedAt
		}
	}); err != nil {
		return time.Time{}, fmt.Errorf("look for snapshots of etcd: %w", err)
	}
	return last, nil
}

// certificates looks when those end that files hold, each given as name=path.
func certificates(ctx context.Context, files []string, out io.Writer) error {
	var errs []error
	for _, file := range files {
		name, path, ok := strings.Cut(file, "=")
		if !ok {
			return fmt.Errorf("%q is not of the form name=path", file)
		}
		end, err := ending(path)
		if err == nil {
			err = note(ctx, out, certificateEnd, attribute.String("name", name), end)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ending returns when the first certificate of a file in PEM ends.
func ending(path string) (time.Time, error) {
	content, err := os.ReadFile(filepath.Clean(path)) //nolint:gosec // the operator says which
	if err != nil {
		return time.Time{}, fmt.Errorf("read certificate: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE" {
		return time.Time{}, fmt.Errorf("%s does not begin with a certificate in PEM", path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, fmt.Errorf("read %s: %w", path, err)
	}
	return certificate.NotAfter, nil
}

// note records an instant, and prints it.
func note(ctx context.Context, out io.Writer, gauge metric.Float64Gauge, of attribute.KeyValue, at time.Time) error {
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	gauge.Record(ctx, float64(at.Unix()), metric.WithAttributes(of))
	if _, err := fmt.Fprintf(out, "%s %s: %s\n", of.Key, of.Value.AsString(), at.UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Package bucket is the S3 bucket that photos and papers are in, as functions use it: addresses that let a phone send or
// fetch one object, and the few calls that the functions make themselves, each with a deadline.
//
// No request carries one of S3's newer checksums (x-amz-checksum-…), since Backblaze B2 refuses them.
package bucket

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Config says where the bucket is. Phones use the same endpoint as functions do.
type Config struct {
	Endpoint  string `envconfig:"S3_ENDPOINT" required:"true"` // https://<host>, without a path
	Region    string `envconfig:"S3_REGION" required:"true"`
	Name      string `envconfig:"S3_BUCKET" required:"true"`
	AccessKey string `envconfig:"S3_ACCESS_KEY" required:"true"`
	SecretKey string `envconfig:"S3_SECRET_KEY" required:"true"`

	// Method is how phones send.
	Method Method `envconfig:"UPLOADS_METHOD" default:"post"`

	// Timeout bounds a call that moves no content, ten times as long one that does. None is the usual one of 3 s.
	Timeout time.Duration `envconfig:"S3_TIMEOUT"`
}

// Method is one of the two forms of an upload.
type Method string

// The forms. POST binds the length to a range, PUT to the byte; Backblaze B2 has only PUT.
const (
	Post Method = "post"
	Put  Method = "put"
)

// Decode reads the name of a method.
func (m *Method) Decode(name string) error {
	switch Method(name) {
	case Post, Put:
		*m = Method(name)
		return nil
	}
	return errors.New("neither post nor put")
}

const (
	defaultTimeout = 3 * time.Second

	// transferFactor is how much longer a call may take that moves content.
	transferFactor = 10

	// tries are two, so that a connection which the other end has closed meanwhile costs nobody an error.
	tries = 2
)

// A Bucket is a client that connects on first use.
type Bucket struct {
	client    minio.Core
	transport *http.Transport
	name      string
	method    Method
	timeout   time.Duration

	sendLife, fetchLife time.Duration // of signed addresses
}

// Open returns a client of the bucket that cfg describes. It connects to nothing; only a setting that cannot be right is
// an error, which does not show it.
func Open(cfg Config) (*Bucket, error) {
	endpoint, err := url.Parse(cfg.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.User != nil || endpoint.RawQuery != "" ||
		(endpoint.Scheme != "https" && endpoint.Scheme != "http") || (endpoint.Path != "" && endpoint.Path != "/") {
		return nil, errors.New("S3_ENDPOINT is not an address such as https://s3.example.com")
	}
	if cfg.Region == "" {
		// The client would ask the bucket for it, whenever it signs.
		return nil, errors.New("S3_REGION is empty")
	}
	secure := endpoint.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, errors.New("open bucket: no transport")
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure:       secure,
		Transport:    counting{transport},
		Region:       cfg.Region,
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   tries,
	})
	if err != nil {
		return nil, errors.New("S3_ENDPOINT is not an address such as https://s3.example.com")
	}
	return &Bucket{
		client: minio.Core{Client: client}, transport: transport, name: cfg.Name,
		method: cmp.Or(cfg.Method, Post), timeout: cmp.Or(cfg.Timeout, defaultTimeout),
		sendLife: SendLife, fetchLife: FetchLife,
	}, nil
}

// requests counts those that were sent: refused is an answer that names the client as what is wrong, but that something is not there.
var requests, _ = otel.Meter("github.com/honeydue/backend/shared/bucket").Int64Counter("honeydue.bucket.requests", metric.WithUnit("{request}"),
	metric.WithDescription("Requests to the bucket by their outcome: answered, refused, away"))

// counting is a transport that counts.
type counting struct{ *http.Transport }

// RoundTrip sends a request.
func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.Transport.RoundTrip(r)
	outcome := "answered"
	switch {
	case err != nil || res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		outcome = "away"
	case res.StatusCode >= http.StatusBadRequest && res.StatusCode != http.StatusNotFound:
		outcome = "refused"
	}
	requests.Add(r.Context(), 1, metric.WithAttributes(attribute.String("http.request.method", r.Method), attribute.String("outcome", outcome)))
	return res, err //nolint:wrapcheck // as it came
}

// Close ends connections that nobody uses.
func (b *Bucket) Close() { b.transport.CloseIdleConnections() }

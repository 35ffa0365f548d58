package bucket

import (
	"context"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
)

// Lifecycle returns the rules by which the bucket removes objects by itself. None is no error.
func (b *Bucket) Lifecycle(ctx context.Context) ([]lifecycle.Rule, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	found, err := b.client.GetBucketLifecycle(ctx, b.name)
	if minio.ToErrorResponse(err).Code == "NoSuchLifecycleConfiguration" {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read lifecycle", err)
	}
	return found.Rules, nil
}

// SetLifecycle replaces all lifecycle rules of the bucket.
func (b *Bucket) SetLifecycle(ctx context.Context, rules []lifecycle.Rule) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return explain("set lifecycle", b.client.SetBucketLifecycle(ctx, b.name, &lifecycle.Configuration{Rules: rules}))
}

// CORS returns the rules by which the bucket lets pages of other origins ask it. None is no error.
func (b *Bucket) CORS(ctx context.Context) ([]cors.Rule, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	found, err := b.client.GetBucketCors(ctx, b.name)
	if err != nil || found == nil {
		return nil, explain("read CORS", err)
	}
	return found.CORSRules, nil
}

// SetCORS replaces all CORS rules of the bucket.
func (b *Bucket) SetCORS(ctx context.Context, rules []cors.Rule) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return explain("set CORS", b.client.SetBucketCors(ctx, b.name, cors.NewConfig(rules)))
}

package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/devserver"
)

// bucketName is the bucket of a system that was started for the load.
const bucketName = "honeydue"

// A Bucket is the objects of a system that was started for the load.
type Bucket struct{ client *minio.Client }

// Bucket opens it.
func (at *Site) Bucket() (*Bucket, error) {
	endpoint, err := url.Parse(at.Local.S3.URL())
	if err != nil {
		return nil, fmt.Errorf("read address of S3: %w", err)
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(at.Local.S3.AccessKey(), at.Local.S3.SecretKey(), ""),
		Region: devserver.Region, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return &Bucket{client}, nil
}

// Put stores the same content under all keys.
func (b *Bucket) Put(ctx context.Context, contentType string, content []byte, keys ...string) error {
	const atOnce = 8
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, key := range keys {
		group.Go(func() error {
			_, err := b.client.PutObject(ctx, bucketName, key, bytes.NewReader(content), int64(len(content)),
				minio.PutObjectOptions{ContentType: contentType, DisableMultipart: true})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("put objects: %w", err)
	}
	return nil
}

// Keys returns, sorted and once each, the keys that begin with prefix and have any version.
func (b *Bucket) Keys(ctx context.Context, prefix string) (keys []string, err error) {
	for info := range b.client.ListObjectsIter(ctx, bucketName, minio.ListObjectsOptions{WithVersions: true, Recursive: true, Prefix: prefix}) {
		if info.Err != nil {
			return nil, fmt.Errorf("list objects: %w", info.Err)
		}
		keys = append(keys, info.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// Get reads an object.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	object, err := b.client.GetObject(ctx, bucketName, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("get object: %w", err)
	}
	defer func() { _ = object.Close() }()
	content, err := io.ReadAll(object)
	if err != nil {
		return nil, fmt.Errorf("get object: %w", err)
	}
	return content, nil
}

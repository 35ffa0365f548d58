package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/bench/world"
)

// bucket is where everything is that people send.
const bucket = "honeydue"

// A stage is a world with a bucket.
type stage struct {
	*world.World

	s3     *devserver.S3
	client *minio.Client
}

func setStage(ctx context.Context) (s *stage, err error) {
	w, err := world.Open(ctx, "uploads", "tasks")
	if err != nil {
		return nil, err
	}
	s = &stage{World: w}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.s3, err = devserver.StartS3(ctx, devserver.Options{Dir: w.Dir, Durable: true}); err != nil {
		return s, fmt.Errorf("start S3: %w", err)
	}
	if err := s.s3.CreateBucket(ctx, bucket); err != nil {
		return s, err
	}
	endpoint, err := url.Parse(s.s3.URL())
	if err != nil {
		return s, fmt.Errorf("read address of S3: %w", err)
	}
	s.client, err = minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(s.s3.AccessKey(), s.s3.SecretKey(), ""), Region: devserver.Region, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return s, fmt.Errorf("open bucket: %w", err)
	}
	return s, nil
}

// close ends what was started.
func (s *stage) close() error {
	var err error
	if s.s3 != nil {
		err = s.s3.Stop(context.Background())
	}
	return errors.Join(err, s.Close())
}

// start starts a function that knows the bucket, with further variables.
func (s *stage) start(ctx context.Context, function string, further ...string) (*world.Process, error) {
	return s.Start(ctx, function, append(further,
		"S3_ENDPOINT="+s.s3.URL(), "S3_REGION="+devserver.Region, "S3_BUCKET="+bucket, "S3_ACCESS_KEY="+s.s3.AccessKey(), "S3_SECRET_KEY="+s.s3.SecretKey())...)
}

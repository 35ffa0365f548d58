package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/devserver"
)

// A world is a database and a bucket that belong together, and how the sweeper gets to them.
type world struct {
	db      *pgx.Conn
	s3      *minio.Client
	bucket  string
	program string
	env     []string
}

// makeWorld makes a world in which all uploads have expired and every attached photo is ready.
func makeWorld(ctx context.Context, dir string, postgres *devserver.Postgres, s3 *devserver.S3, name string) (*world, error) {
	if err := postgres.CreateDatabase(ctx, name, ""); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	owner := postgres.URL(devserver.Owner, name)
	migrate := exec.CommandContext(ctx, filepath.Join(dir, "migrate"))
	migrate.Env = append(os.Environ(), "DATABASE_URL="+owner)
	if output, err := migrate.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("migrate: %w\n%s", err, output)
	}
	if err := s3.CreateBucket(ctx, name); err != nil {
		return nil, err
	}
	db, err := pgx.Connect(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	endpoint, err := url.Parse(s3.URL())
	if err != nil {
		return nil, fmt.Errorf("read address of S3: %w", err)
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(s3.AccessKey(), s3.SecretKey(), ""), Region: devserver.Region, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	w := &world{db: db, s3: client, bucket: name, program: filepath.Join(dir, "sweeper"), env: []string{
		"LISTEN_HOST=127.0.0.1", "K_SINK=http://127.0.0.1:1", "DATABASE_URL=" + postgres.URL("honeydue_sweeper", name),
		"S3_ENDPOINT=" + s3.URL(), "S3_REGION=" + devserver.Region, "S3_BUCKET=" + name,
		"S3_ACCESS_KEY=" + s3.AccessKey(), "S3_SECRET_KEY=" + s3.SecretKey(),
	}}
	return w, w.fill(ctx)
}

func (w *world) close() { _ = w.db.Close(context.Background()) }

const (
	insertHome = `
WITH person AS (INSERT INTO auth_user (email, first_name) VALUES ('ann@example.com', 'Ann') RETURNING id)
INSERT INTO residence_residence (name, created_by_id) SELECT 'Home', id FROM person RETURNING id`

	insertExpired = `
INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, created_at, expires_at)
SELECT u.id, 'completion_image', 'image/jpeg', 1000, 256, key, now() - interval '1 hour', now() - interval '45 minutes'
FROM auth_user u, unnest($1::text[]) key`

	insertAttached = `
WITH sent AS (
    INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, created_at, expires_at)
    SELECT u.id, 'residence_image', 'image/jpeg', 1000, 256, 'uploads/' || key, 'attached', now() - interval '2 days', now() - interval '47 hours'
    FROM auth_user u, unnest($2::text[]) key RETURNING id, object_key
)
INSERT INTO upload_media (id, residence_id, content_type, object_key, state, has_thumbnail)
SELECT id, $1, 'image/jpeg', 'media/' || substr(object_key, 9), 'ready', true FROM sent`
)

// fill makes the rows and then their objects, of which an upload that was never sent has none.
func (w *world) fill(ctx context.Context) error {
	var home int64
	if err := w.db.QueryRow(ctx, insertHome).Scan(&home); err != nil {
		return fmt.Errorf("insert home: %w", err)
	}
	var objects, expired, photos []string
	for range uploads {
		key := "uploads/" + rand.Text()
		expired, objects = append(expired, key), append(objects, key)
	}
	for range attached {
		key := rand.Text()
		photos, objects = append(photos, key), append(objects, "media/"+key+"/clean", "media/"+key+"/thumb")
	}
	if _, err := w.db.Exec(ctx, insertExpired, expired); err != nil {
		return fmt.Errorf("insert uploads: %w", err)
	}
	if _, err := w.db.Exec(ctx, insertAttached, home, photos); err != nil {
		return fmt.Errorf("insert photos: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	content := strings.Repeat("x", 1000)
	for _, key := range objects {
		group.Go(func() error {
			_, err := w.s3.PutObject(ctx, w.bucket, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("put objects: %w", err)
	}
	return nil
}

// count returns how many versions and marks have keys that begin with prefix.
func (w *world) count(ctx context.Context, prefix string) (int, error) {
	n := 0
	for info := range w.s3.ListObjectsIter(ctx, w.bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true, Prefix: prefix}) {
		if info.Err != nil {
			return 0, fmt.Errorf("list objects: %w", info.Err)
		}
		n++
	}
	return n, nil
}

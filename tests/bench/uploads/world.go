package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/honeydue/backend/shared/devserver"
)

// Everything is in one database and one bucket.
const database, bucket = "honeydue", "honeydue"

// A world is the servers that functions work with.
type world struct {
	dir      string
	postgres *devserver.Postgres
	redis    *devserver.Redis
	s3       *devserver.S3
	sink     *httptest.Server // takes every event at once
	db       *pgx.Conn
	client   *minio.Client
}

func makeWorld(ctx context.Context, dir string) (w *world, err error) {
	w = &world{dir: dir, sink: httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusAccepted) }))}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	options := devserver.Options{Dir: dir, Durable: true}
	if w.postgres, err = devserver.StartPostgres(ctx, options); err != nil {
		return w, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if w.redis, err = devserver.StartRedis(ctx, options); err != nil {
		return w, fmt.Errorf("start Redis: %w", err)
	}
	if w.s3, err = devserver.StartS3(ctx, options); err != nil {
		return w, fmt.Errorf("start S3: %w", err)
	}
	if err := w.s3.CreateBucket(ctx, bucket); err != nil {
		return w, err
	}
	if err := w.postgres.CreateDatabase(ctx, database, ""); err != nil {
		return w, err
	}
	owner := w.postgres.URL(devserver.Owner, database)
	migrate := exec.CommandContext(ctx, filepath.Join(dir, "migrate"))
	migrate.Env = append(os.Environ(), "DATABASE_URL="+owner)
	if output, err := migrate.CombinedOutput(); err != nil {
		return w, fmt.Errorf("migrate: %w\n%s", err, output)
	}
	if w.db, err = pgx.Connect(ctx, owner); err != nil {
		return w, fmt.Errorf("connect: %w", err)
	}
	endpoint, err := url.Parse(w.s3.URL())
	if err != nil {
		return w, fmt.Errorf("read address of S3: %w", err)
	}
	w.client, err = minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(w.s3.AccessKey(), w.s3.SecretKey(), ""), Region: devserver.Region, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return w, fmt.Errorf("open bucket: %w", err)
	}
	return w, nil
}

// close ends what was started.
func (w *world) close() error {
	ctx := context.Background()
	var errs []error
	if w.db != nil {
		errs = append(errs, w.db.Close(ctx))
	}
	if w.s3 != nil {
		errs = append(errs, w.s3.Stop(ctx))
	}
	if w.redis != nil {
		errs = append(errs, w.redis.Stop(ctx))
	}
	if w.postgres != nil {
		errs = append(errs, w.postgres.Stop(ctx))
	}
	w.sink.Close()
	return errors.Join(errs...)
}

// env is what the function of that name is told.
func (w *world) env(name string) []string {
	return []string{
		"LISTEN_HOST=127.0.0.1", "K_SINK=" + w.sink.URL,
		"DATABASE_URL=" + w.postgres.URL("honeydue_"+name, database), "REDIS_URL=" + w.redis.URL(0),
		"S3_ENDPOINT=" + w.s3.URL(), "S3_REGION=" + devserver.Region, "S3_BUCKET=" + bucket,
		"S3_ACCESS_KEY=" + w.s3.AccessKey(), "S3_SECRET_KEY=" + w.s3.SecretKey(),
	}
}

// token is what the person with that id signs in with.
func token(person int64) string { return fmt.Sprintf("hd_%d", person) }

const insertPeople = `
WITH made AS (
    INSERT INTO auth_user (email, first_name) SELECT gen_random_uuid() || '@example.com', 'Pat' FROM generate_series(1, $1::int) RETURNING id
), signed_in AS (
    INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT id, sha256(('hd_' || id)::bytea), now() + interval '90 days' FROM made
)
SELECT id FROM made`

// people makes so many people, signed in, and returns their ids.
func (w *world) people(ctx context.Context, n int) ([]int64, error) {
	rows, err := w.db.Query(ctx, insertPeople, n)
	if err != nil {
		return nil, fmt.Errorf("insert people: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("insert people: %w", err)
	}
	return ids, nil
}

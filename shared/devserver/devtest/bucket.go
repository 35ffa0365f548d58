package devtest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/honeydue/backend/shared/devserver"
)

// s3Timeout bounds the start of the S3 server, with the build of its program where nothing is cached.
const s3Timeout = 10 * time.Minute

// A Bucket is where a client finds an S3 bucket that is one test's own and keeps every version, and what lets it in.
type Bucket struct {
	Endpoint             string // http://127.0.0.1:<port>
	Region               string
	Name                 string
	AccessKey, SecretKey string
}

// An s3 is the server that a test binary's buckets are on.
type s3 struct {
	once   sync.Once
	folder *folder
	server *devserver.S3
	err    error
}

// NewBucket returns a bucket of the test's own, on a server that the first test to ask starts. It needs Main.
func NewBucket(t testing.TB) *Bucket {
	t.Helper()
	requireMain(t)
	binary.s3.once.Do(func() { binary.s3.err = binary.s3.start(context.Background()) })
	if binary.s3.err != nil {
		t.Fatalf("start S3 server of tests: %v", binary.s3.err)
	}
	return NewBucketOn(t, binary.s3.server)
}

// NewBucketOn returns a bucket of the test's own on a server that the test has started, which it may stop, kill and pause.
func NewBucketOn(t testing.TB, s *devserver.S3) *Bucket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()
	b := &Bucket{
		Endpoint: s.URL(), Region: devserver.Region, Name: "test-" + strings.ToLower(rand.Text()),
		AccessKey: s.AccessKey(), SecretKey: s.SecretKey(),
	}
	if err := s.CreateBucket(ctx, b.Name); err != nil {
		t.Fatalf("make bucket of test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.DropBucket(b.Name); err != nil {
			t.Errorf("drop bucket of test: %v", err)
		}
	})
	return b
}

// StartS3 returns a server for one test alone, which ends with the test.
func StartS3(t testing.TB) *devserver.S3 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), s3Timeout)
	defer cancel()
	s, err := devserver.StartS3(ctx, devserver.Options{Dir: TempDir(t)})
	if err != nil {
		t.Fatalf("start S3 server of test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop S3 server of test: %v", err)
		}
	})
	return s
}

func (s *s3) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s3Timeout)
	defer cancel()
	var err error
	if s.folder, err = makeFolder(); err != nil {
		return err
	}
	s.server, err = devserver.StartS3(ctx, devserver.Options{Dir: s.folder.path})
	return err
}

func (s *s3) stop(ctx context.Context) error {
	var err error
	if s.server != nil {
		err = s.server.Stop(ctx)
	}
	if s.folder != nil {
		err = errors.Join(err, s.folder.remove())
	}
	return err
}

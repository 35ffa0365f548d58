package devserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Region is the region of every S3 server here.
const Region = "eu-central-1"

// S3 is an S3 server, versitygw, that keeps objects as files. It checks signatures and POST policies as the ones out
// there do, and asks for a key on every address. Its data outlives it in any case.
type S3 struct {
	*Server
	accessKey, secretKey string

	buckets, versions string // folders
	health            string // path of an URL that only this server knows
}

// StartS3 starts versitygw with random keys of its own and returns once it answers. The program is built by
// [BuildS3] when it is missing, which takes minutes where nothing is cached; ctx bounds that as well.
func StartS3(ctx context.Context, o Options) (*S3, error) {
	program, err := BuildS3(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newServerOf(s3Name, program, o)
	if err != nil {
		return nil, err
	}
	s3 := &S3{Server: s, accessKey: rand.Text(), secretKey: rand.Text() + rand.Text(), health: "/" + rand.Text()}
	if s3.buckets, err = s.as.makeFolder(filepath.Join(s.folder, "buckets")); err != nil {
		return nil, err
	}
	if s3.versions, err = s.as.makeFolder(filepath.Join(s.folder, "versions")); err != nil {
		return nil, err
	}
	if s.as != nil {
		// They may be unable to reach what root has built.
		s.program = filepath.Join(s.folder, s3Name)
		s.repair = func(context.Context) error { return place(program, s.program) }
	}
	// Not as arguments, which other users of the machine can read.
	s.secrets = []string{"ROOT_ACCESS_KEY_ID=" + s3.accessKey, "ROOT_SECRET_ACCESS_KEY=" + s3.secretKey}
	s.command = func(port int) ([]string, error) { return s3.arguments(o, port), nil }
	s.probe = s3.probe
	if err := s.start(ctx, o.Port); err != nil {
		return nil, err
	}
	return s3, nil
}

func (s *S3) arguments(o Options, port int) []string {
	args := []string{"--region=" + Region, "--health=" + s.health, "--quiet"}
	for _, host := range strings.Fields(o.listen(" ")) {
		args = append(args, "--port="+net.JoinHostPort(host, strconv.Itoa(port)))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Settings)) {
		args = append(args, "--"+name+"="+o.Settings[name])
	}
	return append(args, "posix", "--versioning-dir="+s.versions, s.buckets)
}

// probe asks the server on the port for a page that no other server has.
func (s *S3) probe(ctx context.Context, port, _ int) error {
	url := "http://" + net.JoinHostPort(loopback, strconv.Itoa(port)) + s.health
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	once := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: once}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return errTaken
	}
	return nil
}

// URL returns the address that clients here begin with, without a path.
func (s *S3) URL() string { return s.url(loopback) }

// NetworkURL is URL as it reads at Options.Host.
func (s *S3) NetworkURL() string { return s.url(s.host) }

func (s *S3) url(host string) string { return "http://" + net.JoinHostPort(host, strconv.Itoa(s.port)) }

// AccessKey returns the name of the one key. It may do anything.
func (s *S3) AccessKey() string { return s.accessKey }

// SecretKey returns the secret of the one key.
func (s *S3) SecretKey() string { return s.secretKey }

// CreateBucket makes a bucket that keeps every version, as Backblaze B2 does; one that is there already is no error.
func (s *S3) CreateBucket(ctx context.Context, name string) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client, err := minio.New(net.JoinHostPort(loopback, strconv.Itoa(s.port)), &minio.Options{
		Creds: credentials.NewStaticV4(s.accessKey, s.secretKey, ""), Region: Region, Transport: transport,
	})
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", name, err)
	}
	exists, err := client.BucketExists(ctx, name)
	if err == nil && !exists {
		err = client.MakeBucket(ctx, name, minio.MakeBucketOptions{Region: Region})
	}
	if err == nil {
		err = client.EnableVersioning(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", name, err)
	}
	return nil
}

// DropBucket removes a bucket with all that is in it, also while the server does not run. One that is not there is no error.
func (s *S3) DropBucket(name string) error {
	err := errors.Join(os.RemoveAll(filepath.Join(s.buckets, name)), os.RemoveAll(filepath.Join(s.versions, name)))
	if err != nil {
		return fmt.Errorf("drop bucket %s: %w", name, err)
	}
	return nil
}

// place puts a program at a path, where every user can run it.
func place(program, path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("place program: %w", err)
	}
	err := os.Link(program, path)
	if err != nil {
		// On another file system.
		err = copyFile(program, path)
	}
	if err == nil {
		err = os.Chmod(path, 0o755)
	}
	if err != nil {
		return fmt.Errorf("place program: %w", err)
	}
	return nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

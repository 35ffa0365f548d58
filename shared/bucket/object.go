package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// An Object is what the bucket says of one.
type Object struct {
	Key         string
	Size        int64  // bytes
	ContentType string // empty in a list
	Encoding    string // Content-Encoding; empty in a list
	ModifiedAt  time.Time
}

func object(info minio.ObjectInfo) Object {
	return Object{Key: info.Key, Size: info.Size, ContentType: info.ContentType, Encoding: info.Metadata.Get("Content-Encoding"), ModifiedAt: info.LastModified}
}

// Stat returns what is under a key, or [ErrNotFound].
func (b *Bucket) Stat(ctx context.Context, key string) (Object, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	info, err := b.client.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return Object{}, explain("stat object", err)
	}
	return object(info), nil
}

// ReadHead returns what is under a key with its first n bytes, fewer when it is shorter, or [ErrNotFound]. It is one
// request, where the object is not empty.
func (b *Bucket) ReadHead(ctx context.Context, key string, n int64) (Object, []byte, error) {
	const doing = "read head of object"
	within, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	var options minio.GetObjectOptions
	if err := options.SetRange(0, n-1); err != nil {
		return Object{}, nil, explain(doing, err)
	}
	body, info, headers, err := b.client.GetObject(within, b.name, key, options)
	var refused minio.ErrorResponse
	if errors.As(err, &refused) && refused.Code == minio.InvalidRange {
		o, err := b.Stat(ctx, key) // it is empty
		return o, nil, err
	}
	if err != nil {
		return Object{}, nil, explain(doing, err)
	}
	defer func() { _ = body.Close() }()
	// Who ignores the range says so and sends it all.
	if _, total, ok := strings.Cut(headers.Get("Content-Range"), "/"); ok {
		if info.Size, err = strconv.ParseInt(total, 10, 64); err != nil {
			return Object{}, nil, explain(doing, errors.New("Content-Range without a length"))
		}
	}
	head, err := io.ReadAll(io.LimitReader(body, n))
	if err != nil {
		return Object{}, nil, explain(doing, err)
	}
	return object(info), head, nil
}

// Copy makes to a copy of from, with its content type, inside the bucket. It returns [ErrNotFound] when from is not there.
// While an address still lets somebody send to from, only the copy is worth checking.
func (b *Bucket) Copy(ctx context.Context, from, to string) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	_, err := b.client.Client.CopyObject(ctx,
		minio.CopyDestOptions{Bucket: b.name, Object: to}, minio.CopySrcOptions{Bucket: b.name, Object: from})
	return explain("copy object", err)
}

// Put stores what it reads from content, size bytes, under a key. If content is an [io.ReaderAt] that can seek, its MD5 goes with it,
// without which a bucket with Object Lock takes nothing, and a broken connection gets a second try.
func (b *Bucket) Put(ctx context.Context, key, contentType string, content io.Reader, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, transferFactor*b.timeout)
	defer cancel()
	// One request, so that nothing half sent stays behind.
	// A signature of each chunk, which the client makes where nothing is encrypted, would become part of the Content-Encoding.
	options := minio.PutObjectOptions{ContentType: contentType, DisableMultipart: true, DisableContentSha256: true}
	// Of anything else the client would keep the whole in memory.
	if _, twice := content.(interface {
		io.ReaderAt
		io.Seeker
	}); twice {
		options.SendContentMd5 = true
	}
	_, err := b.client.Client.PutObject(ctx, b.name, key, content, size, options)
	return explain("put object", err)
}

// Get returns an object and its content, or [ErrNotFound]. The caller closes the content, and has read it before the
// deadline of a call that moves content is over.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	ctx, cancel := context.WithTimeout(ctx, transferFactor*b.timeout)
	body, info, _, err := b.client.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
	if err != nil {
		cancel()
		return nil, Object{}, explain("get object", err)
	}
	return &content{body, cancel}, object(info), nil
}

// content is an object's, until a deadline.
type content struct {
	body   io.ReadCloser
	cancel context.CancelFunc
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = explain("read object", err)
	}
	return n, err
}

func (c *content) Close() error {
	defer c.cancel()
	if err := c.body.Close(); err != nil {
		return fmt.Errorf("close object: %w", err)
	}
	return nil
}

package bucket

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"
)

// What a reader asks for at once, where it goes on where it was: few requests for a whole file, and little for its end alone.
const (
	leastAhead = 64 << 10
	mostAhead  = 512 << 10
)

// A Reader reads parts of one object, and what lies ahead of them.
type Reader struct {
	Object
	bucket *Bucket
	ctx    context.Context //nolint:containedctx // io.ReaderAt has no room for one; a Reader lives as long as one call
	head   []byte
	part   []byte // of the object, from start on
	start  int64
}

// Read returns a reader of what is under a key, whose first n bytes it has, or [ErrNotFound]. It is good until ctx ends,
// and for one user at a time.
func (b *Bucket) Read(ctx context.Context, key string, n int64) (*Reader, error) {
	object, head, err := b.ReadHead(ctx, key, n)
	if err != nil {
		return nil, err
	}
	object.Key = key
	return &Reader{Object: object, bucket: b, ctx: ctx, head: head, start: int64(len(head))}, nil
}

// ReadAt is [io.ReaderAt]'s.
func (r *Reader) ReadAt(p []byte, offset int64) (int, error) {
	n := 0
	for n < len(p) && offset+int64(n) < r.Size {
		held, err := r.from(offset + int64(n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], held)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// from returns bytes of the object from offset on, at least one.
func (r *Reader) from(offset int64) ([]byte, error) {
	if offset < int64(len(r.head)) {
		return r.head[offset:], nil
	}
	end := r.start + int64(len(r.part))
	if offset >= r.start && offset < end {
		return r.part[offset-r.start:], nil
	}
	ahead := leastAhead
	// Who skips a little on the way still goes on.
	if offset >= end && offset-end < leastAhead {
		ahead = min(max(4*len(r.part), 4*leastAhead), mostAhead)
	}
	part := make([]byte, min(int64(ahead), r.Size-offset))
	if err := r.bucket.readRange(r.ctx, r.Key, part, offset); err != nil {
		return nil, err
	}
	r.part, r.start = part, offset
	return part, nil
}

// readRange fills p from the object's bytes at offset, all of which it has.
func (b *Bucket) readRange(ctx context.Context, key string, p []byte, offset int64) error {
	const doing = "read part of object"
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	var options minio.GetObjectOptions
	if err := options.SetRange(offset, offset+int64(len(p))-1); err != nil {
		return explain(doing, err)
	}
	body, _, _, err := b.client.GetObject(ctx, b.name, key, options)
	if err != nil {
		return explain(doing, err)
	}
	defer func() { _ = body.Close() }()
	_, err = io.ReadFull(body, p)
	return explain(doing, err)
}

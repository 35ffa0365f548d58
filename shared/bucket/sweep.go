package bucket

import (
	"context"
	"slices"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

const (
	// batch is how many versions one request deletes at most.
	batch = 1000

	// lookups is how many keys are looked up at once.
	lookups = 8
)

// List returns at most limit objects whose keys begin with prefix and come after the key after, in the order of their
// keys. The last key of a list that is full leads to the next. An object that somebody hid, by a deletion that keeps its
// versions, is not listed; [Bucket.Delete] hides nothing.
func (b *Bucket) List(ctx context.Context, prefix, after string, limit int) ([]Object, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	options := minio.ListObjectsOptions{Recursive: true, Prefix: prefix, StartAfter: after, MaxKeys: min(limit, batch)}
	var found []Object
	for info := range b.client.ListObjectsIter(ctx, b.name, options) {
		if info.Err != nil {
			return nil, explain("list objects", info.Err)
		}
		found = append(found, object(info))
		if len(found) == limit {
			return found, nil
		}
	}
	// A list that ran out of time ends like one that is complete.
	if err := ctx.Err(); err != nil {
		return nil, explain("list objects", err)
	}
	return found, nil
}

// Delete removes every version of every key, and the marks that hide them. A key that is not there is no error. After
// an error some may be gone; doing it again does the rest. The deadline holds for each request, not for all.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	found := make([][]minio.ObjectInfo, len(keys))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for n, key := range keys {
		group.Go(func() (err error) {
			found[n], err = b.versions(groupCtx, key)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for versions := range slices.Chunk(slices.Concat(found...), batch) {
		if err := b.remove(ctx, versions); err != nil {
			return err
		}
	}
	return nil
}

// versions returns all versions of one key, and its marks. Some servers tell of marks after all versions, also those of
// longer keys.
func (b *Bucket) versions(ctx context.Context, key string) ([]minio.ObjectInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	var found []minio.ObjectInfo
	for info := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{WithVersions: true, Recursive: true, Prefix: key}) {
		if info.Err != nil {
			return nil, explain("list versions", info.Err)
		}
		if info.Key == key {
			found = append(found, minio.ObjectInfo{Key: key, VersionID: info.VersionID})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, explain("list versions", err)
	}
	return found, nil
}

// remove deletes versions in one request.
func (b *Bucket) remove(ctx context.Context, versions []minio.ObjectInfo) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	results, err := b.client.RemoveObjectsWithIter(ctx, b.name, slices.Values(versions), minio.RemoveObjectsOptions{})
	if err != nil {
		return explain("delete versions", err)
	}
	for result := range results {
		if result.Err != nil && minio.ToErrorResponse(result.Err).Code != minio.NoSuchKey {
			return explain("delete versions", result.Err)
		}
	}
	return explain("delete versions", ctx.Err())
}

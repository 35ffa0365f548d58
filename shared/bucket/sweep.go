package bucket

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

const (
	// batch is how many versions one request lists or deletes at most.
	batch = 1000

	// lookups is how many folders are looked through at once.
	lookups = 8

	// crowd is how many versions may lie among those of each key that is looked for, before it is looked for by itself.
	crowd = 5
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
// an error some may be gone; doing it again does the rest. The deadline holds for each request, not for all. Keys that are
// neighbours cost far fewer requests than keys that are far apart.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	folders := map[string][]string{}
	for _, key := range keys {
		folder := key[:strings.LastIndexByte(key, '/')+1]
		folders[folder] = append(folders[folder], key)
	}
	var mu sync.Mutex
	var found []minio.ObjectInfo
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for _, keys := range folders {
		slices.Sort(keys)
		group.Go(func() error {
			versions, err := b.versions(groupCtx, slices.Compact(keys))
			mu.Lock()
			defer mu.Unlock()
			found = append(found, versions...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for versions := range slices.Chunk(found, batch) {
		if err := b.remove(ctx, versions); err != nil {
			return err
		}
	}
	return nil
}

// versions returns all versions of the keys, which are sorted, and their marks: from one list of all that begins as they do,
// unless that holds too much else.
func (b *Bucket) versions(ctx context.Context, keys []string) ([]minio.ObjectInfo, error) {
	limit := min(crowd*len(keys), batch)
	found, complete, err := b.listVersions(ctx, keys, limit)
	if err != nil || complete {
		return found, err
	}
	half := len(keys) / 2
	first, err := b.versions(ctx, keys[:half])
	if err != nil {
		return nil, err
	}
	second, err := b.versions(ctx, keys[half:])
	return slices.Concat(first, second), err
}

// listVersions returns the versions of the keys and their marks, or that there are limit to look at and maybe more; of
// one key it looks at all. The list is always read to its end: some servers tell of marks after all versions, also those of later keys.
func (b *Bucket) listVersions(ctx context.Context, keys []string, limit int) (found []minio.ObjectInfo, complete bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	options := minio.ListObjectsOptions{WithVersions: true, Recursive: true, Prefix: commonPrefix(keys)}
	if len(keys) > 1 {
		options.MaxKeys = limit
	}
	seen := 0
	for info := range b.client.ListObjectsIter(ctx, b.name, options) {
		if info.Err != nil {
			return nil, false, explain("list versions", info.Err)
		}
		// A full list is taken for one that is cut off, since a second page may begin at a version that is gone meanwhile.
		if seen++; seen == limit && len(keys) > 1 {
			return nil, false, nil
		}
		if _, wanted := slices.BinarySearch(keys, info.Key); wanted {
			found = append(found, minio.ObjectInfo{Key: info.Key, VersionID: info.VersionID})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, false, explain("list versions", err)
	}
	return found, true, nil
}

// commonPrefix returns what all keys, which are sorted, begin with.
func commonPrefix(keys []string) string {
	first, last := keys[0], keys[len(keys)-1]
	for n := range min(len(first), len(last)) {
		if first[n] != last[n] {
			return first[:n]
		}
	}
	return first
}

// remove deletes versions in one request. A server may take it and yet fail with some of them, say because somebody else
// deletes them as well; they get the second try that a request gets.
func (b *Bucket) remove(ctx context.Context, versions []minio.ObjectInfo) error {
	for try := 1; ; try++ {
		failed, err := b.tryRemove(ctx, versions)
		if len(failed) == 0 || try == tries {
			return err
		}
		versions = failed
	}
}

// tryRemove returns the versions that the server could not delete, with the reason for one of them. The more they are, the
// longer it takes a server.
func (b *Bucket) tryRemove(ctx context.Context, versions []minio.ObjectInfo) (failed []minio.ObjectInfo, err error) {
	const doing = "delete versions"
	ctx, cancel := context.WithTimeout(ctx, transferFactor*b.timeout)
	defer cancel()
	results, err := b.client.RemoveObjectsWithIter(ctx, b.name, slices.Values(versions), minio.RemoveObjectsOptions{})
	if err != nil {
		return nil, explain(doing, err)
	}
	for result := range results {
		refused := explain(doing, result.Err)
		if refused == nil || errors.Is(refused, ErrNotFound) {
			continue
		}
		// What is said of one version alone has no status.
		if said := minio.ToErrorResponse(result.Err); said.Code == "" || said.StatusCode != 0 {
			return nil, refused
		}
		failed, err = append(failed, minio.ObjectInfo{Key: result.ObjectName, VersionID: result.ObjectVersionID}), refused
	}
	return failed, cmp.Or(err, explain(doing, ctx.Err()))
}

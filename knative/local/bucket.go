package local

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/honeydue/backend/shared/devserver"
)

const (
	// maxObjects is how many objects are listed.
	maxObjects = 200

	// bucketTimeout bounds the answer to one question about the bucket.
	bucketTimeout = 10 * time.Second

	objectPath = "/_local/bucket/" // and the object's key
)

// A bucketView lets people look at what is in the bucket.
type bucketView struct {
	client    *minio.Client
	transport *http.Transport

	mu    sync.Mutex
	types map[content]string // of what was listed last: a listing does not tell them
}

// content is what one object held at a time.
type content struct {
	key, etag string
	modified  int64
}

type objectDetail struct {
	Key         string    `json:"key"`
	Size        int64     `json:"size"`
	ContentType string    `json:"content_type"`
	ModifiedAt  time.Time `json:"modified_at"`
	URL         string    `json:"url"` // on this host
}

func newBucketView(s3 *devserver.S3) (*bucketView, error) {
	transport := &http.Transport{}
	client, err := minio.New(strings.TrimPrefix(s3.URL(), "http://"), &minio.Options{
		Creds:  credentials.NewStaticV4(s3.AccessKey(), s3.SecretKey(), ""),
		Region: devserver.Region, Transport: transport, MaxRetries: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return &bucketView{client: client, transport: transport}, nil
}

func (v *bucketView) close(context.Context) error {
	v.transport.CloseIdleConnections()
	return nil
}

// list returns the newest objects, newest first.
func (v *bucketView) list(ctx context.Context) ([]objectDetail, error) {
	var found []minio.ObjectInfo
	for o := range v.client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list bucket: %w", o.Err)
		}
		found = append(found, o)
	}
	slices.SortStableFunc(found, func(a, b minio.ObjectInfo) int { return b.LastModified.Compare(a.LastModified) })
	v.mu.Lock()
	known := v.types
	v.mu.Unlock()
	types, objects := map[content]string{}, []objectDetail{}
	for _, o := range found[:min(len(found), maxObjects)] {
		is := content{o.Key, o.ETag, o.LastModified.UnixNano()}
		if _, ok := known[is]; ok {
			types[is] = known[is]
		} else {
			info, err := v.client.StatObject(ctx, bucket, o.Key, minio.StatObjectOptions{})
			if isGone(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("look at object: %w", err)
			}
			types[is] = info.ContentType
		}
		address := url.URL{Path: objectPath + o.Key}
		objects = append(objects, objectDetail{o.Key, o.Size, types[is], o.LastModified, address.EscapedPath()})
	}
	v.mu.Lock()
	v.types = types
	v.mu.Unlock()
	return objects, nil
}

func (v *bucketView) serveList(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), bucketTimeout)
	defer cancel()
	objects, err := v.list(ctx)
	if err != nil {
		problem(w, http.StatusBadGateway, "The bucket does not answer.")
		return
	}
	writeJSON(w, map[string]any{"results": objects})
}

// serveObject shows a picture. Anything else is a download, whatever it calls itself: nothing that was sent to the bucket
// may become a page on this host.
func (v *bucketView) serveObject(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), bucketTimeout)
	defer cancel()
	object, err := v.client.GetObject(ctx, bucket, r.PathValue("key"), minio.GetObjectOptions{})
	var info minio.ObjectInfo
	if err == nil {
		defer func() { _ = object.Close() }()
		info, err = object.Stat()
	}
	switch {
	case isGone(err):
		problem(w, http.StatusNotFound, "There is no such object.")
		return
	case err != nil:
		problem(w, http.StatusBadGateway, "The bucket does not answer.")
		return
	}
	header := w.Header()
	header.Set("Content-Type", info.ContentType)
	if !isPicture(info.ContentType) {
		header.Set("Content-Type", "application/octet-stream")
		header.Set("Content-Disposition", "attachment")
	}
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", `"`+info.ETag+`"`)
	http.ServeContent(w, r, "", info.LastModified, object)
}

// isPicture says whether a type of content is one of those that photos have.
func isPicture(contentType string) bool {
	switch contentType {
	case "image/jpeg", "image/png", "image/heic", "image/heif", "image/webp":
		return true
	}
	return false
}

// isGone says whether an error means that there is no object of that name, or can be none.
func isGone(err error) bool {
	if err == nil {
		return false
	}
	status := minio.ToErrorResponse(err).StatusCode
	return status == http.StatusNotFound || status == http.StatusBadRequest
}

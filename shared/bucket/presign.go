package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// How long a signed address works.
const (
	SendLife  = 15 * time.Minute
	FetchLife = 5 * time.Minute
)

// Slack is by how many bytes what is sent by POST may differ from what was claimed.
const Slack = 256

// An Upload is the one object that a signed address lets somebody send.
type Upload struct {
	Key         string
	ContentType string
	Size        int64 // bytes
}

// A Form is how to send it. Whatever else is sent, the bucket refuses.
type Form struct {
	Method    string // POST or PUT
	URL       string
	Fields    map[string]string // of a POST: of the multipart form, before the field "file"
	Headers   map[string]string // of a PUT
	ExpiresAt time.Time
}

// Presign signs an upload in the configured form. It asks the network nothing.
func (b *Bucket) Presign(ctx context.Context, u Upload) (Form, error) {
	if b.method == Put {
		return b.PresignPut(ctx, u)
	}
	return b.PresignPost(ctx, u)
}

// PresignPost signs a policy: this key, this content type, and a length that differs by [Slack] at most. It asks the
// network nothing.
func (b *Bucket) PresignPost(ctx context.Context, u Upload) (Form, error) {
	if strings.ContainsAny(u.Key+u.ContentType, `"\`) {
		return Form{}, errors.New("presign post: a quote in the key or content type") // the policy is JSON, which the client does not escape
	}
	expires := time.Now().Add(b.sendLife)
	policy := minio.NewPostPolicy()
	for _, set := range []func() error{
		func() error { return policy.SetExpires(expires) },
		func() error { return policy.SetBucket(b.name) },
		func() error { return policy.SetKey(u.Key) },
		func() error { return policy.SetContentType(u.ContentType) },
		func() error { return policy.SetContentLengthRange(max(0, u.Size-Slack), u.Size+Slack) },
	} {
		if err := set(); err != nil {
			return Form{}, fmt.Errorf("presign post: %w", err)
		}
	}
	address, fields, err := b.client.PresignedPostPolicy(ctx, policy)
	if err != nil {
		return Form{}, fmt.Errorf("presign post: %w", err)
	}
	return Form{Method: http.MethodPost, URL: address.String(), Fields: fields, ExpiresAt: expires}, nil
}

// PresignPut signs this key, content type and length, to the byte. It asks the network nothing.
func (b *Bucket) PresignPut(ctx context.Context, u Upload) (Form, error) {
	expires := time.Now().Add(b.sendLife)
	headers := map[string]string{"Content-Type": u.ContentType, "Content-Length": strconv.FormatInt(u.Size, 10)}
	signed := make(http.Header)
	for name, value := range headers {
		signed.Set(name, value)
	}
	address, err := b.client.PresignHeader(ctx, http.MethodPut, b.name, u.Key, b.sendLife, nil, signed)
	if err != nil {
		return Form{}, fmt.Errorf("presign put: %w", err)
	}
	return Form{Method: http.MethodPut, URL: address.String(), Headers: headers, ExpiresAt: expires}, nil
}

// PresignGet returns an address that anybody may fetch the object from for [FetchLife], served with that content type and
// Content-Disposition whatever it was stored with. It asks the network nothing.
func (b *Bucket) PresignGet(ctx context.Context, key, contentType, disposition string) (string, error) {
	served := url.Values{"response-content-type": {contentType}, "response-content-disposition": {disposition}}
	address, err := b.client.PresignedGetObject(ctx, b.name, key, b.fetchLife, served)
	if err != nil {
		return "", fmt.Errorf("presign get: %w", err)
	}
	return address.String(), nil
}

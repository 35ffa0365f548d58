package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"time"
)

// An Address is where and how a file is sent to the bucket, as the API says it.
type Address struct {
	UploadID        int64 `json:"upload_id"`
	Method, URL     string
	Fields, Headers map[string]string
}

// A File is what somebody sends, for things of one kind.
type File struct {
	Category, Type, Name string
	Content              []byte
}

// Send asks for an address for a file, sends the file there, and returns the id of the upload, for upload_ids.
func (p *Person) Send(ctx context.Context, f File) (int64, error) {
	to, err := p.Presign(ctx, f)
	if err != nil {
		return 0, err
	}
	return to.UploadID, to.Take(ctx, f.Content)
}

// Presign asks for an address for a file.
func (p *Person) Presign(ctx context.Context, f File) (to Address, err error) {
	// An address is a secret and takes no Idempotency-Key; one that got lost ends by itself.
	answer, err := p.sure(ctx, http.MethodPost, "/api/uploads/presign/", map[string]any{
		"category": f.Category, "content_type": f.Type, "content_length": len(f.Content), "filename": f.Name,
	}, "")
	if err != nil {
		return to, err
	}
	if err := answer.Decode(http.StatusCreated, &to); err != nil {
		return to, fmt.Errorf("presign: %w", err)
	}
	return to, nil
}

// Take sends a file there.
func (a Address) Take(ctx context.Context, file []byte) error {
	body, contentType, err := a.wrap(file)
	if err != nil {
		return fmt.Errorf("write form: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, a.Method, a.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	for name, value := range a.Headers {
		req.Header.Set(name, value)
	}
	answer, err := atBucket(req)
	if err == nil && answer.Status >= http.StatusMultipleChoices {
		err = fmt.Errorf("answered %d: %s", answer.Status, answer.Body)
	}
	if err != nil {
		return fmt.Errorf("send file: %w", err)
	}
	return nil
}

// wrap returns what is sent: the bare file, or a form that ends with it, since a bucket reads no field behind a file.
func (a Address) wrap(file []byte) (body []byte, contentType string, err error) {
	if a.Method == http.MethodPut {
		return file, "", nil
	}
	var to bytes.Buffer
	form := multipart.NewWriter(&to)
	for name, value := range a.Fields {
		err = errors.Join(err, form.WriteField(name, value))
	}
	last, created := form.CreateFormFile("file", "photo.jpg")
	if err := errors.Join(err, created); err != nil {
		return nil, "", err
	}
	_, wrote := last.Write(file)
	closed := form.Close()
	return to.Bytes(), form.FormDataContentType(), errors.Join(wrote, closed)
}

// Fetch asks for media, which must be ready, and gets it from the bucket.
func (p *Person) Fetch(ctx context.Context, path string) ([]byte, error) {
	answer, err := p.Sure(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	if err := answer.Decode(http.StatusFound, nil); err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, answer.Header.Get("Location"), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if answer, err = atBucket(req); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", path, err)
	}
	return answer.Body, answer.Decode(http.StatusOK, nil)
}

// atBucket makes a request of the bucket, for which the address is enough: without a token, and past the edge.
func atBucket(req *http.Request) (Answer, error) {
	const patience = 20 * time.Second
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	return do(&http.Client{Timeout: patience, Transport: transport}, req)
}

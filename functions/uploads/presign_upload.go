package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/problem"
)

// pdf is the one content type that is no picture's.
const pdf = "application/pdf"

// NewUpload is what someone is about to send.
type NewUpload struct {
	Category      attach.Category `json:"category" enum:"completion_image,document_image,document_file,residence_image" doc:"What it is for" example:"document_file"`
	ContentType   string          `json:"content_type" enum:"image/jpeg,image/png,image/heic,image/heif,image/webp,application/pdf" doc:"application/pdf for a document_file alone" example:"application/pdf"`
	ContentLength int64           `json:"content_length" minimum:"1" maximum:"10485760" doc:"In bytes" example:"83214"`
	Filename      *string         `json:"filename,omitempty" nullable:"true" maxLength:"255" doc:"As members will see it; of a path, the last part" example:"boiler warranty.pdf"`
}

// An Address is where and how to send it.
type Address struct {
	UploadID  int64             `json:"upload_id" doc:"Names it in upload_ids, and later under /api/media/" example:"88"`
	Method    string            `json:"method" enum:"POST,PUT" example:"PUT"`
	URL       string            `json:"url" format:"uri" example:"https://s3.example.com/honeydue/uploads/LNAB2MD6WXYJ7GYVQKQMAFX5GE?X-Amz-Signature=7d0c"`
	Fields    map[string]string `json:"fields" doc:"Of the form of a POST, before the file" example:"{}"`
	Headers   map[string]string `json:"headers" doc:"Of a PUT" example:"{\"Content-Length\": \"83214\", \"Content-Type\": \"application/pdf\"}"`
	ExpiresAt time.Time         `json:"expires_at" doc:"Until when to send and to attach it" example:"2026-03-10T11:15:00Z"`
}

type presignUploadInput struct{ Body NewUpload }

type presignUploadOutput struct{ Body Address }

func (s *service) presignUpload(ctx context.Context, in *presignUploadInput) (*presignUploadOutput, error) {
	if in.Body.ContentType == pdf && in.Body.Category != attach.DocumentFile {
		return nil, problem.Invalid("body.content_type", "expected the content type of a picture")
	}
	key := "uploads/" + rand.Text()
	form, err := s.bucket.Presign(ctx, bucket.Upload{Key: key, ContentType: in.Body.ContentType, Size: in.Body.ContentLength})
	if err != nil {
		return nil, err
	}
	expires := form.ExpiresAt.UTC().Truncate(time.Microsecond) // as the database keeps it
	id, err := s.addPending(ctx, authn.User(ctx).ID, pending{in.Body, key, slack(form), expires})
	if err != nil {
		return nil, err
	}
	return &presignUploadOutput{Address{
		UploadID: id, Method: form.Method, URL: form.URL, Fields: orEmpty(form.Fields), Headers: orEmpty(form.Headers), ExpiresAt: expires,
	}}, nil
}

// slack is by how many bytes the bucket lets differ what is sent in a form.
func slack(f bucket.Form) int {
	if f.Method == http.MethodPost {
		return bucket.Slack
	}
	return 0
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// baseName returns the last part of a path as any system writes one, without what cannot be seen; nil when nothing is left.
func baseName(path *string) *string {
	if path == nil {
		return nil
	}
	name := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, (*path)[strings.LastIndexAny(*path, `/\`)+1:])
	if name = strings.TrimSpace(name); strings.Trim(name, ".") == "" {
		return nil
	}
	return &name
}

package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// A file is something that is the same for everyone until the next release.
type file struct {
	contentType string
	etag        string
	body        []byte
}

func newFile(contentType string, body []byte) file {
	sum := sha256.Sum256(body)
	return file{contentType, `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, body}
}

type fileInput struct {
	IfNoneMatch string `header:"If-None-Match" maxLength:"1024" doc:"ETag of the copy that the caller has" example:"\"Qm9hcmQtb2YtMjAyNg\""`
}

type fileOutput struct {
	Status         int
	ContentType    string `header:"Content-Type"`
	ETag           string `header:"ETag"`
	CacheControl   string `header:"Cache-Control"`
	Policy         string `header:"Content-Security-Policy"`
	ReferrerPolicy string `header:"Referrer-Policy"`
	Body           []byte
}

// policy lets a page load its style sheet and show an icon that it carries itself; nothing else, from nowhere else.
const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// answer sends the file, or says that the caller's copy is still good.
func (f file) answer(ifNoneMatch string) *fileOutput {
	out := &fileOutput{
		Status: http.StatusOK, ContentType: f.contentType, ETag: f.etag, CacheControl: "public, max-age=300",
		Policy: policy, ReferrerPolicy: "no-referrer", Body: f.body,
	}
	if f.matches(ifNoneMatch) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out
}

// matches compares weakly, as RFC 9110 section 13.1.2 asks for If-None-Match.
func (f file) matches(ifNoneMatch string) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == f.etag {
			return true
		}
	}
	return false
}

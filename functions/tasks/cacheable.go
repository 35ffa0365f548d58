package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Conditional is what the input of an answer that may be a 304 embeds.
type Conditional struct {
	IfNoneMatch string `header:"If-None-Match" maxLength:"1000" doc:"The ETag of an earlier answer" example:"\"Qm9hcmQtb2YtMjAyNg\""`
}

// cacheableOutput is an answer that is the same for everybody and worth keeping for a while.
type cacheableOutput struct {
	Status       int
	ContentType  string `header:"Content-Type"`
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

// cacheable answers with body as JSON for one hour, or with 304 for a caller who has it already. scope is who may keep it:
// public, or private for what only a signed-in person gets.
func cacheable(body any, in Conditional, scope string) (*cacheableOutput, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	sum := sha256.Sum256(text)
	out := &cacheableOutput{
		Status: http.StatusOK, ContentType: "application/json", Body: text, CacheControl: scope + ", max-age=3600",
		ETag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`,
	}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status, out.Body, out.ContentType = http.StatusNotModified, nil, ""
	}
	return out, nil
}

// matches compares as RFC 9110 has it for If-None-Match: weakly, any of a list, or a star for whatever there is.
func matches(ifNoneMatch, etag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}

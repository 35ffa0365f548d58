package main

import (
	"context"
	"net/http"
)

type openAPIInput struct {
	IfNoneMatch    string `header:"If-None-Match" maxLength:"1024" doc:"ETag of the copy that the caller has" example:"\"Qm9hcmQtb2YtMjAyNg\""`
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
}

type openAPIOutput struct {
	Status          int
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Vary            string `header:"Vary"`
	ETag            string `header:"ETag"`
	CacheControl    string `header:"Cache-Control"`
	Policy          string `header:"Content-Security-Policy"`
	ReferrerPolicy  string `header:"Referrer-Policy"`
	Body            []byte
}

// showOpenAPI answers as the pages do; unlike them, it stands in the document.
func (s *service) showOpenAPI(_ context.Context, in *openAPIInput) (*openAPIOutput, error) {
	f, err := s.docs.openapi()
	if err != nil {
		return nil, err
	}
	sent := f.form(in.AcceptEncoding)
	out := &openAPIOutput{
		Status: http.StatusOK, ContentType: f.contentType, ContentEncoding: sent.coding, Vary: "Accept-Encoding", ETag: sent.etag,
		CacheControl: f.cacheControl, Policy: f.policy, ReferrerPolicy: "no-referrer", Body: sent.body,
	}
	if sent.matches(in.IfNoneMatch) {
		out.Status, out.ContentEncoding, out.Body = http.StatusNotModified, "", nil
	}
	return out, nil
}

package devtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// BehaveLikeB2 puts a proxy before a bucket that differs from S3 where Backblaze B2 does: it does not implement POST
// Object (501) and takes no checksum of S3's (400). It returns the bucket as it reads from there. Every bucket of ours
// keeps versions already.
func BehaveLikeB2(t testing.TB, b *Bucket) *Bucket {
	t.Helper()
	proxy := httptest.NewServer(Before(t, b, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"):
			refuse(w, http.StatusNotImplemented, "NotImplemented")
		case checksummed(r):
			refuse(w, http.StatusBadRequest, "InvalidArgument")
		default:
			return false
		}
		return true
	}))
	t.Cleanup(proxy.Close)
	like := *b
	like.Endpoint = proxy.URL
	return &like
}

// Before returns a proxy that hands a bucket's server every request that answered does not say it has answered.
func Before(t testing.TB, b *Bucket, answered func(http.ResponseWriter, *http.Request) bool) http.Handler {
	t.Helper()
	target, err := url.Parse(b.Endpoint)
	if err != nil {
		t.Fatalf("read endpoint of bucket: %v", err)
	}
	server := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answered(w, r) {
			server.ServeHTTP(w, r)
		}
	})
}

// checksummed says whether a request carries or announces one of S3's newer checksums, in a header, a trailer or the address.
func checksummed(r *http.Request) bool {
	named := func(name string) bool {
		name = strings.ToLower(name)
		return strings.HasPrefix(name, "x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm" || name == "x-amz-trailer"
	}
	for name := range r.Header {
		if named(name) {
			return true
		}
	}
	for name := range r.URL.Query() {
		if named(name) {
			return true
		}
	}
	return false
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>not supported here</Message></Error>", code)
}

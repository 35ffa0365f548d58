package timing_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/honeydue/backend/shared/timing"
)

// BenchmarkHandler measures what the header costs a request that asks the database twice and the cache twice, and beside it
// the same without.
func BenchmarkHandler(b *testing.B) {
	asks := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			timing.Begin(r.Context(), timing.Database)
			timing.End(r.Context(), timing.Database)
			timing.Begin(r.Context(), timing.Cache)
			timing.End(r.Context(), timing.Cache)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for name, handler := range map[string]http.Handler{"without": asks, "with": timing.Handler(asks, probe)} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// discard is a writer that costs nothing itself.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header       { return d.header }
func (*discard) Write(p []byte) (int, error) { return len(p), nil }
func (*discard) WriteHeader(int)             {}

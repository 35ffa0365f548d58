// Command site loads function site as browsers, phones, search engines and monitors do: pages with what they load, compressed and
// not; copies that are still good; documents of the API; its health; links to apps; and what is not there.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/load"
)

func main() {
	load.Main(load.Test{Function: "site", Rate: 300, P99: 30 * time.Millisecond, Mix: mix})
}

func mix(ctx context.Context, at *load.Site) (func() load.Call, error) {
	s, err := read(ctx, at)
	if err != nil {
		return nil, err
	}
	return load.Mixed(
		load.Share{Weight: 22, Call: s.get("page", s.pages, browser)},
		load.Share{Weight: 3, Call: s.get("page, not compressed", s.pages, crawler)},
		load.Share{Weight: 10, Call: s.again("page, still good", s.pages)},
		load.Share{Weight: 25, Call: s.get("asset", s.assets, browser)},
		load.Share{Weight: 6, Call: s.get("openapi.json", s.documents[:1], phone)},
		load.Share{Weight: 4, Call: s.again("openapi.json, still good", s.documents[:1])},
		load.Share{Weight: 3, Call: s.get("docs", s.documents[1:], browser)},
		load.Share{Weight: 3, Call: s.get("robots, sitemap, favicon", s.machines, crawler)},
		load.Share{Weight: 14, Call: s.health},
		load.Share{Weight: 5, Call: s.links},
		load.Share{Weight: 3, Call: s.missing},
		load.Share{Weight: 2, Call: s.missingCall},
	), nil
}

// What a caller accepts, as it says so.
const (
	browser = "gzip, deflate, br, zstd"
	phone   = "gzip"
	crawler = "identity"
)

// get asks for any of files as somebody does who accepts that.
func (s *site) get(name string, files []*file, accepts string) func() load.Call {
	return func() load.Call {
		f := load.OneOf(files)
		want := f.forms[accepts]
		return load.Call{
			Name: name, Method: http.MethodGet, URL: f.path, Header: s.header(f.public, accepts), Status: http.StatusOK,
			Check: want.check,
		}
	}
}

// again asks for a file that a browser has a copy of. Nothing travels.
func (s *site) again(name string, files []*file) func() load.Call {
	return func() load.Call {
		f := load.OneOf(files)
		etag := f.forms[browser].etag
		header := s.header(f.public, browser)
		header.Set("If-None-Match", `"other", W/`+etag)
		return load.Call{
			Name: name, Method: http.MethodGet, URL: f.path, Header: header, Status: http.StatusNotModified,
			Check: func(header http.Header, body []byte) error {
				return load.Wrong(nil, len(body) > 0 || header.Get("ETag") != etag, "the answer about a good copy is another")
			},
		}
	}
}

// health may say that the cache is late: everything is served without it.
func (s *site) health() load.Call {
	return load.Call{
		Name: "health", Method: http.MethodGet, URL: "/api/health/", Status: http.StatusOK,
		Check: func(header http.Header, body []byte) error {
			shown, err := load.Decode[struct{ Status, Database, Cache string }](body)
			well := shown.Status == "ok" && shown.Database == "ok" && (shown.Cache == "ok" || shown.Cache == "degraded")
			return load.Wrong(err, !well || header.Get("Cache-Control") != "no-store", "not everything is well, or the answer may be kept")
		},
	}
}

// links are what Apple and Google ask for. Where no app is set up, there are none.
func (s *site) links() load.Call {
	l := load.OneOf(s.appLinks)
	return load.Call{
		Name: "app links", Method: http.MethodGet, URL: l.path, Header: s.header(true, crawler), Status: l.status,
		Check: func(_ http.Header, body []byte) error {
			return load.Wrong(nil, l.status == http.StatusOK && !json.Valid(body), "the links are no JSON")
		},
	}
}

// missing asks for a page that there is not, as those do who look for holes.
func (s *site) missing() load.Call {
	return load.Call{
		Name: "no such page", Method: http.MethodGet, URL: load.OneOf([]string{"/wp-login.php", "/.env", "/en/about/"}),
		Header: s.header(true, crawler), Status: http.StatusNotFound,
		Check: func(header http.Header, body []byte) error {
			if header.Get("Cache-Control") != "no-store" {
				return errors.New("what is not there may be kept")
			}
			return load.Wrong(nil, !bytes.Contains(body, []byte("<title>Not found")), "what is not there has another page")
		},
	}
}

func (s *site) missingCall() load.Call {
	return load.Call{
		Name: "no such call", Method: http.MethodGet, URL: "/api/docs/nothing/", Status: http.StatusNotFound,
		Check: func(header http.Header, body []byte) error {
			refused, err := load.Decode[struct{ Status int }](body)
			problem := header.Get("Content-Type") == "application/problem+json" && refused.Status == http.StatusNotFound
			return load.Wrong(err, !problem, "the refusal is no problem document")
		},
	}
}

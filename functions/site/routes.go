package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/pg"
)

// service holds what the handlers use. None of its calls needs a person who is signed in.
type service struct {
	db     *pg.DB
	cache  *cache.Cache
	docs   docs
	public *public
}

func newService(db *pg.DB, kept *cache.Cache, said settings) *service {
	return &service{db: db, cache: kept, docs: newDocs(), public: newPublic(said)}
}

// routes lists every call. The pages are for people and stand in no document.
func (s *service) routes(on huma.API) {
	api.Handle(on, huma.Operation{
		Method: http.MethodGet, Path: "/api/health/", OperationID: "show-health", Tags: []string{"Site"},
		Summary:     "Tell whether the API works",
		Description: "Asks the database and the cache. Without the cache everything is served, a little later; without the database the answer is 503.",
	}, s.showHealth)
	api.Handle(on, huma.Operation{
		Method: http.MethodGet, Path: "/api/openapi.json", OperationID: "show-openapi", Tags: []string{"Site"},
		Summary:     "Get the OpenAPI 3.1 document of the whole API",
		Description: "May be kept for five minutes. Comes compressed to whoever accepts it (br, gzip). A copy that is still good is confirmed with 304 when its ETag comes in If-None-Match.",
		Responses: map[string]*huma.Response{
			"200": {Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}},
			"304": {Description: "The copy with this ETag is still good"},
		},
	}, s.showOpenAPI)
	for path, made := range map[string]func() (file, error){
		"/api/docs/":          s.docs.calls,
		"/api/docs/problems/": s.docs.problems,
		"/api/docs/style.css": s.docs.style,
	} {
		api.Page(on, http.MethodGet, path, serve(made))
	}
	s.public.routes(on)
}

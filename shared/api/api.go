// Package api is what the HTTP functions have in common: routing, decoding, validation, problem documents, and
// one log line a request.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// maxBody is what a body may hold. Photos do not pass here: they go straight to the bucket.
const maxBody = 1 << 20

// New returns an API and the handler that serves it. routes registers operations, whose paths end in a slash; each
// answers without it as well.
func New(function string, log *slog.Logger, proxies Proxies, routes func(huma.API)) http.Handler {
	handler, _ := build(function, log, proxies, routes)
	return handler
}

// Document returns the OpenAPI document of what routes registers.
func Document(function string, routes func(huma.API)) *huma.OpenAPI {
	_, api := build(function, slog.New(slog.DiscardHandler), Proxies{}, routes)
	return api.OpenAPI()
}

func build(function string, log *slog.Logger, proxies Proxies, routes func(huma.API)) (http.Handler, huma.API) {
	useProblems()
	router := chi.NewRouter()
	router.NotFound(func(w http.ResponseWriter, _ *http.Request) { Write(w, problem.NotFound()) })
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if router.Match(chi.NewRouteContext(), method, r.URL.Path) {
				w.Header().Add("Allow", method)
			}
		}
		Write(w, problem.New(http.StatusMethodNotAllowed, "This path has no such method."))
	})
	config := huma.DefaultConfig("honeyDue "+function, "1.0.0")
	config.CreateHooks, config.Transformers = nil, nil
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Formats = map[string]huma.Format{"application/json": strictJSON(), "json": strictJSON()}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "apiKey", In: "header", Name: "Authorization", Description: "Token hd_… (Bearer hd_… works too)"},
	}
	api := humachi.New(router, config)
	routes(operations{api})
	return wrap(router, log, proxies), api
}

// useProblems sets what huma keeps in variables of a whole process: the error document, and that names have one casing.
var useProblems = sync.OnceFunc(func() {
	huma.NewErrorWithContext = newError //nolint:reassign // the way that huma offers
	huma.NewError = newErrorOutside     //nolint:reassign // as above
	huma.ValidateStrictCasing = true    //nolint:reassign // as above
})

var problemType = reflect.TypeFor[problem.Problem]()

// operations gives each operation the limits and the problems that all of them share.
type operations struct{ huma.API }

// DocumentOperation is called by huma as an operation is registered, before it is served.
func (o operations) DocumentOperation(op *huma.Operation) {
	op.MaxBodyBytes = maxBody + 1
	op.RejectUnknownQueryParameters = true
	problems := map[string]*huma.Response{}
	schema := o.OpenAPI().Components.Schemas.Schema(problemType, true, "Problem")
	statuses := slices.Concat(op.Errors, []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable})
	if op.RequestBody != nil || len(op.Parameters) > 0 {
		statuses = append(statuses, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	if op.RequestBody != nil {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	for _, status := range statuses {
		problems[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
		}
	}
	for status, response := range op.Responses {
		if status != "default" && !strings.HasPrefix(status, "4") && !strings.HasPrefix(status, "5") {
			problems[status] = response
		}
	}
	op.Responses = problems
	if !op.Hidden {
		o.OpenAPI().AddOperation(op)
	}
}

// newError makes problems of huma's own refusals, without the values that they refer to.
func newError(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	cause := errors.Join(errs...)
	if errors.Is(cause, io.ErrUnexpectedEOF) {
		return problem.New(http.StatusBadRequest, "The body ended before its length was reached.")
	}
	for _, err := range errs {
		if p := From(err); p != nil {
			return p
		}
	}
	if status >= http.StatusInternalServerError {
		p := problem.New(http.StatusInternalServerError, "")
		if ctx != nil && cause != nil {
			note(ctx.Context(), p, cause)
		}
		return p
	}
	var details []problem.Detail
	for _, err := range errs {
		d := detail(err)
		if d.Message == errName.Error() {
			status = http.StatusUnprocessableEntity // also when it was refused before validation
		}
		details = append(details, d)
	}
	p := problem.New(status, "The request does not fit what this call takes.")
	if status == http.StatusRequestEntityTooLarge {
		p.Detail = "A body holds at most 1 MiB."
	}
	p.Errors = details
	return p
}

// newErrorOutside is newError where there is no request: while operations are registered.
func newErrorOutside(status int, message string, errs ...error) huma.StatusError {
	return newError(nil, status, message, errs...)
}

// detail cuts from huma's messages what comes from the request: a name that is not known, a parser's quotation.
func detail(err error) problem.Detail {
	var refused *huma.ErrorDetail
	if !errors.As(err, &refused) {
		return problem.Detail{Message: "unreadable"}
	}
	location, message := refused.Location, refused.Message
	if at := strings.LastIndexByte(location, '.'); message == errName.Error() && at > 0 {
		location = location[:at]
	}
	if strings.HasPrefix(location, "query.") && strings.Contains(message, "unknown query parameter") {
		location, message = "query", "unknown query parameter"
	}
	if strings.HasPrefix(message, "expected string to be") || strings.HasPrefix(message, huma.ErrUnknownContentType.Error()) {
		message, _, _ = strings.Cut(message, ": ")
	}
	return problem.Detail{Location: location, Message: message}
}

// From returns the problem that err is, the one for a caller whose account went meanwhile, a database or another store that is away, or nil.
func From(err error) *problem.Problem {
	var p *problem.Problem
	var away interface{ Unavailable() bool }
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &away) && away.Unavailable():
		return problem.Unavailable()
	case pg.PersonGone(err):
		return problem.Unauthenticated()
	case pg.Unavailable(err):
		return problem.Unavailable()
	default:
		return nil
	}
}

// Handle registers an operation whose handler returns errors: a problem is told as it is, a database that is
// away is 503, any other error a bare 500. Each is logged once, with the request.
func Handle[I, O any](api huma.API, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err == nil {
			return out, nil
		}
		return nil, Problem(ctx, err)
	})
}

// Problem returns what the caller is told of err, and puts into the request's log line what they are not.
func Problem(ctx context.Context, err error) *problem.Problem {
	p := From(err)
	if p == nil {
		p = problem.New(http.StatusInternalServerError, "")
	}
	note(ctx, p, err)
	return p
}

// Page registers what answers with pages, not with JSON: it stands in no document. The pattern is chi's.
func Page(on huma.API, method, pattern string, handler http.HandlerFunc) {
	on.Adapter().Handle(&huma.Operation{Method: method, Path: pattern}, func(ctx huma.Context) {
		r, w := humachi.Unwrap(ctx)
		handler(w, r)
	})
}

// Refuse answers an operation from a middleware, as [Handle] would.
func Refuse(ctx huma.Context, err error) {
	p := Problem(ctx.Context(), err)
	for name, values := range p.GetHeaders() {
		for _, value := range values {
			ctx.SetHeader(name, value)
		}
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p)
}

// Package problem holds the errors that a caller is told: RFC 9457 documents with stable types.
package problem

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// typeBase is the address under which the types of problems are documented.
const typeBase = "https://api.myhoneydue.com/api/docs/problems#"

// A Problem is an answer that is not what the caller hoped for. It holds no value that was submitted.
type Problem struct {
	Type   string   `json:"type" format:"uri" doc:"Stable address of the kind of problem" example:"https://api.myhoneydue.com/api/docs/problems#not-found"`
	Title  string   `json:"title" doc:"The kind of problem in words" example:"Invalid request"`
	Status int      `json:"status" doc:"HTTP status code" example:"422"`
	Detail string   `json:"detail,omitempty" doc:"What was wrong this time" example:"The request does not fit what this call takes."`
	Errors []Detail `json:"errors,omitempty" doc:"What was wrong with which part of the request"`

	headers http.Header
	Extra   any `json:"current,omitempty" doc:"What the thing looks like now, where that explains a conflict"`
}

// A Detail names one part of a request and what was wrong with it.
type Detail struct {
	Location string `json:"location,omitempty" doc:"Where in the request" example:"body.title"`
	Message  string `json:"message" doc:"What was expected there" example:"expected a title that is not blank"`
}

// Error makes a problem an error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus is the HTTP status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that go with the answer.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType says that a problem is a problem document whatever the caller accepts.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Invalid builds the details of a refused input.
func Invalid(location, message string) *Problem {
	p := New(http.StatusUnprocessableEntity, "The request does not fit what this call takes.")
	p.Errors = []Detail{{Location: location, Message: message}}
	return p
}

// kinds are the types and titles of problems by status.
func kind(status int) (slug, title string) {
	switch status {
	case http.StatusBadRequest:
		return "malformed", "Malformed request"
	case http.StatusUnauthorized:
		return "unauthenticated", "Not signed in"
	case http.StatusForbidden:
		return "forbidden", "Not allowed"
	case http.StatusNotFound:
		return "not-found", "Not found"
	case http.StatusMethodNotAllowed:
		return "method-not-allowed", "Method not allowed"
	case http.StatusNotAcceptable:
		return "not-acceptable", "Not acceptable"
	case http.StatusRequestTimeout:
		return "request-timeout", "Request took too long to arrive"
	case http.StatusConflict:
		return "conflict", "Conflict"
	case http.StatusGone:
		return "gone", "Gone for good"
	case http.StatusRequestEntityTooLarge:
		return "too-large", "Request too large"
	case http.StatusUnsupportedMediaType:
		return "unsupported-media-type", "Unsupported media type"
	case http.StatusUnprocessableEntity:
		return "invalid", "Invalid request"
	case http.StatusTooManyRequests:
		return "too-many-requests", "Too many requests"
	case http.StatusServiceUnavailable:
		return "unavailable", "Unavailable for the moment"
	default:
		return "internal", "Something went wrong here"
	}
}

// New returns the problem of a status.
func New(status int, detail string) *Problem {
	slug, title := kind(status)
	if slug == "internal" {
		status, detail = http.StatusInternalServerError, ""
	}
	return &Problem{Type: typeBase + slug, Title: title, Status: status, Detail: detail}
}

// NotFound is the answer for what is not there and for what the caller may not see: the same for both.
func NotFound() *Problem { return New(http.StatusNotFound, "There is no such thing here.") }

// Forbidden is the answer to someone who may see a thing but not do this to it.
func Forbidden(detail string) *Problem { return New(http.StatusForbidden, detail) }

// Conflict says that the state of things stands against the request; current, if not nil, is that state.
func Conflict(detail string, current any) *Problem {
	p := New(http.StatusConflict, detail)
	p.Extra = current
	return p
}

// NotYet is a conflict that passes by itself, and says when to try again.
func NotYet(detail string, after time.Duration) *Problem {
	return waiting(http.StatusConflict, detail, after)
}

// Gone is the answer for what was there and never comes back.
func Gone(detail string) *Problem { return New(http.StatusGone, detail) }

// Unauthenticated asks for a token.
func Unauthenticated() *Problem {
	p := New(http.StatusUnauthorized, "This call needs a valid token.")
	p.headers = http.Header{"Www-Authenticate": {"Token"}}
	return p
}

// TooMany says when the caller may try again, to the second.
func TooMany(detail string, after time.Duration) *Problem {
	return waiting(http.StatusTooManyRequests, detail, after)
}

// Unavailable says that something this needs is away, and when to try again.
func Unavailable() *Problem {
	return waiting(http.StatusServiceUnavailable, "Something that this needs is away. Nothing was changed unless a second try says so.", 2*time.Second)
}

func waiting(status int, detail string, after time.Duration) *Problem {
	p := New(status, detail)
	seconds := max(1, int(math.Ceil(after.Seconds())))
	p.headers = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return p
}

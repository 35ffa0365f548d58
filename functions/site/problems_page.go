package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/honeydue/backend/shared/problem"
)

// problemsPage is what the page about problems shows. The types of problems lead to its anchors.
type problemsPage struct {
	Title    string
	Problems []problemType
	Types    []component // what a problem document is made of
}

// A problemType is one kind of problem with what a caller does about it.
type problemType struct {
	Status           int
	Slug, URI, Title string
	Meaning, Advice  string
}

func newProblemsPage(doc document) problemsPage {
	return problemsPage{Title: doc.Info.Title, Problems: problemTypes(), Types: componentsOf(doc, "Problem", "Detail")}
}

// problemTypes lists every type that a function can answer with, by status.
func problemTypes() []problemType {
	var types []problemType
	for status := http.StatusBadRequest; status < 600; status++ {
		found := typeOf(status)
		if !slices.ContainsFunc(types, func(t problemType) bool { return t.Slug == found.Slug }) {
			types = append(types, found)
		}
	}
	slices.SortFunc(types, func(a, b problemType) int { return a.Status - b.Status })
	return types
}

func typeOf(status int) problemType {
	p := problem.New(status, "")
	_, slug, _ := strings.Cut(p.Type, "#")
	meaning, advice := explain(slug)
	return problemType{Status: p.Status, Slug: slug, URI: p.Type, Title: p.Title, Meaning: meaning, Advice: advice}
}

// explain says what a type means and what a caller does about it.
func explain(slug string) (meaning, advice string) {
	switch slug {
	case "malformed":
		return "The request could not be read: the body is not one JSON value, names a field twice, is not UTF-8 or holds a NUL character; or a code is wrong or too old.",
			"Correct the request; the same one gets the same answer."
	case "unauthenticated":
		return "The call needs a token, and there is none, or it is unknown, expired or ended. Signing in answers this way too, for every reason alike.",
			"Sign in and send the new token. The header WWW-Authenticate names the scheme."
	case "forbidden":
		return "The caller may see this and not change it: a viewer writes, or a member does what only the owner may.",
			"Ask the owner of the home for another role."
	case "not-found":
		return "There is no such thing, or the caller may not see it. Both get the same answer. A path that does not exist gets it too.",
			"Drop the id, and read the list again."
	case "method-not-allowed":
		return "The path exists and does not take this method.", "Look the call up."
	case "not-acceptable":
		return "The Accept header rules out every form that the answer has.", "Accept application/json."
	case "request-timeout":
		return "The request did not arrive whole in time.", "Send it again."
	case "conflict":
		return "The state of things stands against the request: someone else was first, the email address is taken, a request with the same Idempotency-Key still runs, or a photo is still being cleaned.",
			"Where current is there, it is the thing as it is now: show it, and let the person decide. Where Retry-After is there, try again after as many seconds."
	case "gone":
		return "It was there and never comes back: a photo from which the place where it was taken could not be removed.",
			"Do not ask again. Delete it, and send the photo in another form."
	case "too-large":
		return "A body holds at most 1 MiB.", "Send less. Photos go to the bucket and not through here."
	case "unsupported-media-type":
		return "The body is not JSON.", "Send JSON, with Content-Type: application/json."
	case "invalid":
		return "The request was read and does not fit: a field is unknown, missing, of another type or outside its limits; or an Idempotency-Key came with another body before.",
			"Each entry of errors names a part of the request and what was expected there. The value itself is never repeated."
	case "too-many-requests":
		return "The caller, or its address, has done this too often.", "Wait for as many seconds as Retry-After says."
	case "unavailable":
		return "Something that the call needs is away: the database, or the bucket when photos are attached.",
			"Try again after the seconds that Retry-After names, with the same Idempotency-Key for a call that creates."
	case "internal":
		return "An error of ours. It is in our log under the X-Request-Id of the answer.", "Report that id."
	default:
		return "", ""
	}
}

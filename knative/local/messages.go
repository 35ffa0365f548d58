package local

import (
	"net/http"
	"strings"
)

// notifier is the function that knows of messages.
const notifier = "notifications"

// Inside returns the address at which a function takes events, as the Broker reaches it.
func (s *System) Inside(function string) string {
	return "http://" + *s.inside.Load() + "/" + function + "/"
}

// serveMessages passes on what an operator asks about messages. It wakes the function, as any request does.
func (s *System) serveMessages(w http.ResponseWriter, r *http.Request) {
	f := s.function(notifier)
	if f == nil {
		problem(w, http.StatusNotFound, "No function knows of messages.")
		return
	}
	inside := r.Clone(r.Context())
	inside.URL.Path = strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/_local"), "/") + "/"
	inside.URL.RawPath = ""
	f.handler().ServeHTTP(w, inside)
}

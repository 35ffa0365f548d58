package local

import (
	"embed"
	"net/http"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/shared/devserver/push"
)

//go:embed page.html
var pageFiles embed.FS

func servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	// Nothing is asked for elsewhere, not even by a mail that is shown.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; "+
		"style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	http.ServeFileFS(w, r, pageFiles, "page.html")
}

// state is all that the page shows.
type state struct {
	URL       string            `json:"url"`
	Functions []functionDetail  `json:"functions"`
	Schedules []scheduleDetail  `json:"schedules"`
	Events    []eventDetail     `json:"events"`
	Mail      []mailbox.Message `json:"mail"`
	Pushes    []push.Push       `json:"pushes"`
	Logs      []logLine         `json:"logs"`
}

type functionDetail struct {
	functionStatus

	Paths   []string `json:"paths"`
	Failure string   `json:"failure"` // why the last process ended by itself, until another is ready
}

type scheduleDetail struct {
	Name     string `json:"name"`
	Schedule string `json:"schedule"`
	Timezone string `json:"timezone"`
}

type eventDetail struct {
	loggedEvent

	Deliveries []deliveryDetail `json:"deliveries"`
}

type deliveryDetail struct {
	loggedDelivery

	Tries []try `json:"tries"`
}

// maxShown is how many events, mails and pushes the page gets.
const maxShown = 60

func (s *System) serveState(w http.ResponseWriter, _ *http.Request) {
	// Lists are never null: the page counts what is in them.
	now := state{
		URL: s.URL, Schedules: s.schedules, Events: []eventDetail{}, Mail: firstOf(s.mailbox.Messages()), Pushes: firstOf(s.pushes.Pushes()),
		Logs: s.logs.list(),
	}
	for _, f := range s.functions {
		now.Functions = append(now.Functions, functionDetail{f.status(), f.Paths, f.lastFailure()})
	}
	for _, e := range firstOf(s.events.list()) {
		detail := eventDetail{loggedEvent: e, Deliveries: []deliveryDetail{}}
		for _, d := range e.Deliveries {
			detail.Deliveries = append(detail.Deliveries, deliveryDetail{*d, d.tries})
		}
		now.Events = append(now.Events, detail)
	}
	writeJSON(w, now)
}

func firstOf[T any](all []T) []T { return all[:min(len(all), maxShown)] }

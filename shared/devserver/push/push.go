package push

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPayload is how many bytes either provider takes.
const maxPayload = 4096

// Platforms.
const (
	IOS     = "ios"
	Android = "android"
)

// A Push is one that was taken.
type Push struct {
	ID          string            `json:"id"`
	At          time.Time         `json:"at"`
	Platform    string            `json:"platform"` // ios or android
	DeviceToken string            `json:"device_token"`
	Title       string            `json:"title"`
	Body        string            `json:"body"`
	Data        map[string]any    `json:"data"`    // what the app reads
	Headers     map[string]string `json:"headers"` // names in lower case; no authorization

	// Payload is all that was sent.
	Payload json.RawMessage `json:"-"`
}

// keep takes a push.
func (d *Double) keep(p Push, r *http.Request) string {
	p.Headers = map[string]string{}
	for name, values := range r.Header {
		if name != "Authorization" {
			p.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p.ID, p.At = strconv.Itoa(len(d.pushes)+1), d.clock().UTC()
	d.pushes = append(d.pushes, p)
	close(d.changed)
	d.changed = make(chan struct{})
	return p.ID
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

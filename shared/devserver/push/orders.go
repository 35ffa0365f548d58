package push

import (
	"io"
	"net/http"
	"time"
)

// An Answer is what a provider says when it does not take a push.
type Answer struct {
	Status     int
	Reason     string    // of APNs, such as Unregistered; of FCM, such as UNREGISTERED
	Message    string    // of FCM, for people
	Field      string    // of FCM: what is wrong, such as message.token
	RetryAfter string    // as the header says it
	At         time.Time // of APNs' 410: when it last found the device gone
	Silent     bool      // takes the request and never answers
}

// orders are what a double was told to do.
type orders struct {
	always    map[string]Answer // by device token
	next      []Answer
	grants    *Answer
	goAways   int
	processed bool
}

// Answer makes every push to a device get a; nil takes them again.
func (d *Double) Answer(deviceToken string, a *Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.orders.always, deviceToken)
	if a != nil {
		d.orders.always[deviceToken] = *a
	}
}

// AnswerNext makes the next pushes, to whomever they are, get these answers, one each.
func (d *Double) AnswerNext(answers ...Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders.next = append(d.orders.next, answers...)
}

// AnswerGrants makes everybody who asks for an OAuth bearer get a; nil gives bearers again.
func (d *Double) AnswerGrants(a *Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders.grants = a
}

// GoAway ends the next n connections, each at its first request, with GOAWAY instead of an answer. It says whether that request
// may have been processed (RFC 9113 §6.8): only one that was not may be sent again without asking.
func (d *Double) GoAway(n int, processed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders.goAways, d.orders.processed = n, processed
}

// ExpireBearers makes FCM refuse every bearer that it has given so far.
func (d *Double) ExpireBearers() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.bearers)
}

// ordered counts a request and returns what it is to get, if anything but being taken.
func (d *Double) ordered(deviceToken string) (Answer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests[deviceToken]++
	if a, ok := d.orders.always[deviceToken]; ok {
		return a, true
	}
	if len(d.orders.next) == 0 {
		return Answer{}, false
	}
	a := d.orders.next[0]
	d.orders.next = d.orders.next[1:]
	return a, true
}

// begin begins an answer; it returns false when there is to be none, once the client has given up.
func (a Answer) begin(w http.ResponseWriter, r *http.Request) bool {
	if a.Silent {
		_, _ = io.Copy(io.Discard, r.Body) // only behind it the server sees that the client leaves
		<-r.Context().Done()
		return false
	}
	if a.RetryAfter != "" {
		w.Header().Set("Retry-After", a.RetryAfter)
	}
	return true
}

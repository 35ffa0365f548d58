package broker

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// A consumer that answers nothing is given up after as long as Knative Serving lets a request take by default.
const defaultTimeout = 5 * time.Minute

// Delivery says how hard the Broker tries: a Trigger's or Broker's `delivery`. Durations are ISO 8601.
type Delivery struct {
	// Retry is the number of attempts after the first one.
	Retry int `json:"retry,omitempty"`
	// BackoffPolicy is exponential (delay, 2·delay, 4·delay …) or linear (0, delay, 2·delay …: Eventing counts
	// retries from zero). Without both policy and delay, a retry follows at once.
	BackoffPolicy string `json:"backoffPolicy,omitempty"`
	BackoffDelay  string `json:"backoffDelay,omitempty"`
	// Timeout bounds each attempt; five minutes when empty.
	Timeout string `json:"timeout,omitempty"`
	// RetryAfterMax, when set and not PT0S, makes the Broker wait as long as the Retry-After of a 429 or 503
	// asks, at most this long and never shorter than the back-off.
	RetryAfterMax string `json:"retryAfterMax,omitempty"`
	// DeadLetterSink gets what could not be delivered. Without one it is dropped, and logged.
	DeadLetterSink *Destination `json:"deadLetterSink,omitempty"`
}

// Validate says what is wrong with the spec, naming the field.
func (d Delivery) Validate() error {
	_, err := d.policy()
	return err
}

// policy is a Delivery that was read and found good.
type policy struct {
	retries       int
	exponential   bool
	delay         time.Duration
	timeout       time.Duration
	retryAfterMax time.Duration
	deadLetter    *Destination
}

func (d Delivery) policy() (policy, error) {
	p := policy{retries: d.Retry, timeout: defaultTimeout, deadLetter: d.DeadLetterSink}
	if d.Retry < 0 {
		return policy{}, errors.New("retry: is negative")
	}
	switch d.BackoffPolicy {
	case "", "exponential", "linear":
		p.exponential = d.BackoffPolicy == "exponential"
	default:
		return policy{}, fmt.Errorf("backoffPolicy: %q is neither exponential nor linear", d.BackoffPolicy)
	}
	for _, field := range []struct {
		name, text string
		to         *time.Duration
	}{
		{"backoffDelay", d.BackoffDelay, &p.delay},
		{"timeout", d.Timeout, &p.timeout},
		{"retryAfterMax", d.RetryAfterMax, &p.retryAfterMax},
	} {
		if field.text == "" {
			continue
		}
		var err error
		if *field.to, err = ParseDuration(field.text); err != nil {
			return policy{}, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	if p.timeout == 0 {
		return policy{}, errors.New("timeout: is zero")
	}
	if d.BackoffPolicy == "" {
		p.delay = 0
	}
	if d.DeadLetterSink != nil {
		if err := d.DeadLetterSink.Validate(); err != nil {
			return policy{}, fmt.Errorf("deadLetterSink: %w", err)
		}
	}
	return p, nil
}

// backoff is the wait before retry n, counted from zero, when the consumer asked to be left alone for asked.
func (p policy) backoff(n int, asked time.Duration) time.Duration {
	factor := int64(n)
	if p.exponential {
		factor = 1 << min(n, 62)
	}
	wait := time.Duration(math.MaxInt64)
	if p.delay == 0 || factor <= math.MaxInt64/int64(p.delay) {
		wait = p.delay * time.Duration(factor)
	}
	return max(wait, min(asked, p.retryAfterMax))
}

// retryable is Eventing's rule for the statuses after which a later attempt may help: all 5xx, and of the 4xx
// those that a pod on its way up or a busy one gives.
func retryable(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// retryAfter is what a 429 or 503 asks for, in seconds or as a date; zero when it asks for nothing sensible.
func retryAfter(status int, header http.Header, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

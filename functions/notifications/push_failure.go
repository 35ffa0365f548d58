package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A reply is what a provider says about a push.
type reply struct {
	status     int
	reason     string // a word; empty without one that is one
	retryAfter string // as the header says it
}

// wordOf returns a reason if it is a word of the provider's own, and not anything that was sent to it.
func wordOf(reason string) string {
	const longest = 48
	isOther := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' }
	if len(reason) > longest || strings.ContainsFunc(reason, isOther) {
		return ""
	}
	return reason
}

// failed describes a reply that was no.
func (r reply) failed(provider string, permanent bool, now time.Time) verdict {
	text := fmt.Sprintf("%s answered %d", provider, r.status)
	if r.reason != "" {
		text += " " + r.reason
	}
	return verdict{failure: &failure{text: text, permanent: permanent, wait: waitOf(r.retryAfter, now)}}
}

// isBusy returns whether a provider has too much to do, or something to mend, which is no word about the push.
func (r reply) isBusy() bool {
	return r.status == http.StatusTooManyRequests || r.status >= http.StatusInternalServerError
}

// maxWait bounds what a provider may ask for.
const maxWait = 24 * time.Hour

// waitOf reads a Retry-After (RFC 9110 §10.2.3), seconds or a date; 0 for none that can be read.
func waitOf(retryAfter string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(retryAfter, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(maxWait/time.Second))) * time.Second
	}
	until, err := http.ParseTime(retryAfter)
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxWait)
}

// unanswered describes a push whose fate is not known. The error's own words hold the address, which for APNs has the device's
// token in it, so only its kind is kept.
func unanswered(provider string, err error) verdict {
	f := &failure{text: provider + ": the connection broke", inDoubt: true}
	var errno syscall.Errno
	var dialing *net.OpError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		f.text = provider + ": no answer in time"
	case errors.Is(err, context.Canceled):
		f.text = provider + ": given up before it answered"
	case errors.As(err, &name):
		f.text = provider + ": its name is not known"
	case errors.As(err, &certificate):
		f.text, f.inDoubt = provider+": its certificate is not trusted", false
	case errors.As(err, &errno):
		f.text = provider + ": " + errno.Error() // such as connection refused
	}
	if errors.As(err, &dialing) && dialing.Op == "dial" {
		f.inDoubt = false
	}
	return verdict{failure: f}
}

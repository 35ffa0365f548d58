package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/sideshow/apns2"
)

// apns is Apple's push service. See Apple's "Sending notification requests to APNs" and "Handling notification responses from APNs".
type apns struct {
	url       string
	topic     string // the app
	token     *providerToken
	transport *http.Transport
	now       func() time.Time
}

func newAPNs(cfg apnsConfig) (*apns, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := checkURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("APNS_URL %w", err)
	}
	a := &apns{url: strings.TrimRight(cfg.URL, "/"), topic: cfg.Topic, transport: newTransport(true), now: time.Now}
	var err error
	if a.token, err = newProviderToken(cfg); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *apns) close() { a.transport.CloseIdleConnections() }

// isAPNsToken returns whether a device's token can be one: hexadecimal, as any other could lead to another path.
func isAPNsToken(token string) bool {
	bytes, err := hex.DecodeString(token)
	return err == nil && len(bytes) >= 32 && len(bytes) <= 100
}

// push tells one device. A provider token that is refused is made anew once.
func (a *apns) push(ctx context.Context, n notification, d device) verdict {
	if !isAPNsToken(d.Token) {
		return verdict{gone: true}
	}
	asked := a.now()
	token := a.token.current(asked)
	answer, err := a.ask(ctx, n, d, token)
	if err == nil && isTokenRefused(answer.reply) {
		if fresh := a.token.renew(token, asked); fresh != token {
			answer, err = a.ask(ctx, n, d, fresh)
		}
	}
	if err != nil {
		return unanswered("APNs", err)
	}
	return a.judge(answer, d, asked)
}

func isTokenRefused(r reply) bool {
	return r.reason == apns2.ReasonExpiredProviderToken || r.reason == apns2.ReasonInvalidProviderToken
}

// An apnsReply also says when APNs last found that the device is gone; zero when it does not.
type apnsReply struct {
	reply
	goneAt time.Time
}

// ask sends the push once. When the connection ends before the request was looked at, the transport sends it again on another.
func (a *apns) ask(ctx context.Context, n notification, d device, token string) (apnsReply, error) {
	once := &exchange{transport: a.transport, token: token}
	client := apns2.Client{Host: a.url, HTTPClient: &http.Client{Transport: once, CheckRedirect: asIs}}
	answer, err := client.PushWithContext(ctx, &apns2.Notification{
		// Always the same, so that a push that is sent again is known as the one before.
		ApnsID:      uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "https://myhoneydue.com/push/%d/%d", n.MessageID, d.ID)).String(),
		DeviceToken: d.Token,
		Topic:       a.topic,
		PushType:    apns2.PushTypeAlert,
		Priority:    apns2.PriorityHigh,
		Expiration:  n.ExpiresAt,
		CollapseID:  n.Collapse,
		Payload:     apnsPayloadOf(n),
	})
	r := apnsReply{reply: once.reply}
	switch {
	case err == nil:
		r.reason, r.goneAt = wordOf(answer.Reason), answer.Timestamp.Time
		return r, nil
	case r.status == http.StatusOK:
		return r, nil // whatever happened to the rest of the answer, which says nothing more
	case r.status == 0 || ctx.Err() != nil:
		return r, err
	default:
		return r, nil // not APNs' own JSON, as of something in between
	}
}

// judge says what an answer means for the push and for the device.
func (a *apns) judge(r apnsReply, d device, asked time.Time) verdict {
	switch {
	case r.status == http.StatusOK:
		return verdict{}
	case r.reason == apns2.ReasonBadDeviceToken:
		return verdict{gone: true}
	case r.reason == apns2.ReasonDeviceTokenNotForTopic || r.reason == apns2.ReasonTopicDisallowed || r.reason == apns2.ReasonBadTopic:
		// As likely a wrong setting, which concerns every device and is mended without them.
		return r.failed("APNS_TOPIC does not fit the app or its key: APNs", false, a.now())
	case r.status == http.StatusGone || r.reason == apns2.ReasonUnregistered || r.reason == apns2.ReasonExpiredToken:
		if r.goneAt.IsZero() {
			r.goneAt = asked
		}
		// Who has the app again since then has registered again.
		if d.RegisteredAt.Before(r.goneAt) {
			return verdict{gone: true}
		}
		return r.failed("APNs", false, a.now())
	case r.status == http.StatusForbidden || r.reason == apns2.ReasonIdleTimeout || r.isBusy():
		return r.failed("APNs", false, a.now())
	default:
		return r.failed("APNs", true, a.now())
	}
}

// An exchange is one request: it adds the provider token, and notes of the answer what apns2 does not tell.
type exchange struct {
	transport http.RoundTripper
	token     string
	reply     reply
}

// RoundTrip sends the request.
func (e *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "bearer "+e.token)
	res, err := e.transport.RoundTrip(r)
	if err == nil {
		e.reply = reply{status: res.StatusCode, retryAfter: res.Header.Get("Retry-After")}
	}
	return res, err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// maxReply is how much of an answer is read, in bytes.
const maxReply = 64 << 10

// fcm is Google's push service, by its HTTP v1 API: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.
type fcm struct {
	url       string // where messages are sent
	bearers   *bearers
	transport *http.Transport
	now       func() time.Time
}

func newFCM(cfg fcmConfig) (*fcm, error) {
	if err := checkURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("FCM_URL %w", err)
	}
	account, err := readServiceAccount(cfg.Credentials)
	if err != nil {
		return nil, fmt.Errorf("FCM_CREDENTIALS: %w", err)
	}
	f := &fcm{transport: newTransport(false), now: time.Now}
	f.url = strings.TrimRight(cfg.URL, "/") + "/v1/projects/" + url.PathEscape(account.Project) + "/messages:send"
	f.bearers = newBearers(account, f.transport)
	return f, nil
}

func (f *fcm) close() { f.transport.CloseIdleConnections() }

// push tells one device. A bearer that is refused is asked for anew once.
func (f *fcm) push(ctx context.Context, n notification, d device) verdict {
	asked := f.now()
	payload, err := fcmPayloadOf(n, d, asked).write()
	if err != nil {
		return verdict{failure: &failure{text: "FCM: the push cannot be written", permanent: true}}
	}
	bearer, err := f.bearers.get(ctx, "", asked)
	if err != nil {
		return notSignedIn(err, asked)
	}
	answer, err := f.ask(ctx, payload, bearer)
	if err == nil && answer.status == http.StatusUnauthorized {
		if bearer, err = f.bearers.get(ctx, bearer, asked); err != nil {
			return notSignedIn(err, asked)
		}
		answer, err = f.ask(ctx, payload, bearer)
	}
	if err != nil {
		return unanswered("FCM", err)
	}
	return f.judge(answer, d, asked)
}

// notSignedIn describes that there is no bearer, which is ours or Google's to mend, and no word about the push.
func notSignedIn(err error, now time.Time) verdict {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		v := unanswered("sign in to FCM", err)
		v.failure.inDoubt = false
		return v
	}
	r := reply{status: refused.Response.StatusCode, retryAfter: refused.Response.Header.Get("Retry-After")}
	return r.failed("sign in to FCM: it", false, now)
}

// An fcmReply also says whether it was the device's token that it found wrong.
type fcmReply struct {
	reply
	wrongToken bool
}

func (f *fcm) ask(ctx context.Context, payload []byte, bearer string) (fcmReply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, bytes.NewReader(payload))
	if err != nil {
		return fcmReply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	res, err := (&http.Client{Transport: f.transport, CheckRedirect: asIs}).Do(req)
	if err != nil {
		return fcmReply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return fcmReply{}, err
	}
	r := readFCMError(body)
	r.status, r.retryAfter = res.StatusCode, res.Header.Get("Retry-After")
	return r, nil
}

// readFCMError reads a google.rpc.Status; what is none says nothing beyond its status.
func readFCMError(body []byte) fcmReply {
	var in struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Details []struct {
				ErrorCode  string `json:"errorCode"`
				Violations []struct {
					Field string `json:"field"`
				} `json:"fieldViolations"`
			} `json:"details"`
		} `json:"error"`
	}
	var r fcmReply
	if json.Unmarshal(body, &in) != nil {
		return r
	}
	r.reason = wordOf(in.Error.Status)
	for _, detail := range in.Error.Details {
		if word := wordOf(detail.ErrorCode); word != "" {
			r.reason = word // FCM's own, more to the point
		}
		for _, v := range detail.Violations {
			r.wrongToken = r.wrongToken || v.Field == "message.token"
		}
	}
	// A token that never was one is told by these words alone.
	r.wrongToken = r.wrongToken || strings.Contains(in.Error.Message, "not a valid FCM registration token")
	return r
}

// judge says what an answer means for the push and for the device.
func (f *fcm) judge(r fcmReply, d device, asked time.Time) verdict {
	switch {
	case r.status == http.StatusOK:
		return verdict{}
	case r.status == http.StatusNotFound && r.reason == "UNREGISTERED":
		// FCM does not say since when. A device that has registered meanwhile is another one.
		if d.RegisteredAt.Before(asked) {
			return verdict{gone: true}
		}
		return r.failed("FCM", false, f.now())
	case r.status == http.StatusBadRequest && r.wrongToken:
		return verdict{gone: true}
	case r.reason == "SENDER_ID_MISMATCH":
		// As likely a wrong setting, which concerns every device and is mended without them.
		return r.failed("FCM_CREDENTIALS do not fit the app's project: FCM", false, f.now())
	case r.isBusy() || slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, r.status):
		return r.failed("FCM", false, f.now())
	default:
		return r.failed("FCM", true, f.now())
	}
}

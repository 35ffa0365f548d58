package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
)

// A connection that ends before the request was looked at costs nothing; one that ends after leaves the push without a verdict.
func TestGoAway(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	double.GoAway(1, false)
	require.Equal(t, []int64{iphone.ID}, send(t, p, iphone).took)
	require.Len(t, double.Pushes(), 1)

	p = newTestPusher(t, double)
	double.GoAway(1, true)
	got := send(t, p, iphone)
	require.Empty(t, got.took)
	require.Equal(t, &failure{text: "APNs: the connection broke", inDoubt: true}, got.err)
	require.Equal(t, []int64{iphone.ID}, send(t, p, iphone).took)
}

func TestProviderThatNeverAnswers(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	require.Len(t, send(t, p, iphone, pixel).took, 2) // signed in
	for _, d := range []device{iphone, pixel} {
		double.Answer(d.Token, &push.Answer{Silent: true})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		got := p.push(ctx, samplePush(), []device{d, ipad})
		cancel()
		require.Less(t, time.Since(began), 3*time.Second)
		require.Equal(t, []int64{ipad.ID}, got.took)
		require.Equal(t, &failure{text: map[string]string{"ios": "APNs", "android": "FCM"}[d.Platform] + ": no answer in time", inDoubt: true}, got.err)
	}
	double.AnswerGrants(&push.Answer{Silent: true})
	fresh := newTestPusher(t, double)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Equal(t, &failure{text: "sign in to FCM: no answer in time"}, fresh.push(ctx, samplePush(), []device{pixel, pixel}).err)
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	double.Stop()
	require.Equal(t, &failure{text: "APNs: connection refused; sign in to FCM: connection refused"}, send(t, p, iphone, pixel).err)
	require.NoError(t, double.Start())
	require.Len(t, send(t, p, iphone, pixel).took, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, &failure{text: "APNs: given up before it answered", inDoubt: true}, p.push(ctx, samplePush(), []device{iphone}).err)
}

// Signing in is ours or Google's to mend: no push is given up for it.
func TestNoBearer(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	double.AnswerGrants(&push.Answer{Status: http.StatusBadRequest, Reason: "invalid_grant"})
	require.Equal(t, &failure{text: "sign in to FCM: it answered 400"}, send(t, p, pixel).err)
	double.AnswerGrants(&push.Answer{Status: http.StatusServiceUnavailable, RetryAfter: "30"})
	require.Equal(t, &failure{text: "sign in to FCM: it answered 503", wait: 30 * time.Second}, send(t, p, pixel).err)
	double.AnswerGrants(nil)
	require.Len(t, send(t, p, pixel).took, 1)
}

// A bearer that FCM refuses, or that has ended, is asked for anew; one is for all.
func TestBearersAreKeptAndRenewed(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	require.Len(t, send(t, p, pixel, pixel, pixel).took, 3)
	require.Equal(t, 1, double.Grants())
	double.ExpireBearers()
	require.Len(t, send(t, p, pixel, pixel, pixel).took, 3)
	require.Equal(t, 2, double.Grants())
	p.at(func() time.Time { return time.Now().Add(59*time.Minute + time.Second) })
	require.Len(t, send(t, p, pixel).took, 1)
	require.Equal(t, 3, double.Grants())
}

// The token that APNs has grown tired of is made anew, once and for all that were refused with it, and not again for 20 minutes.
func TestProviderTokenIsRenewed(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	refused := push.Answer{Status: http.StatusForbidden, Reason: "ExpiredProviderToken"}
	double.AnswerNext(refused)
	require.Len(t, send(t, p, iphone).took, 1)
	require.Equal(t, 2, double.Requests(iphone.Token))
	require.Equal(t, 2, double.ProviderTokens())
	double.AnswerNext(refused)
	require.Equal(t, &failure{text: "APNs answered 403 ExpiredProviderToken"}, send(t, p, iphone).err)
	require.Equal(t, 3, double.Requests(iphone.Token))
	require.Len(t, send(t, p, iphone).took, 1)
	require.Equal(t, 2, double.ProviderTokens())
}

// Hours pass: the token never is too old, and seldom is another. A process that begins meanwhile makes the same one.
func TestProviderTokenOverTime(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	var clock fakeClock
	clock.set(time.Date(2026, 4, 2, 10, 34, 59, 0, time.UTC))
	double.SetClock(clock.now)
	for range 40 {
		p := newTestPusher(t, double)
		p.at(clock.now)
		require.Len(t, send(t, p, iphone).took, 1)
		clock.set(clock.now().Add(10 * time.Minute))
	}
	require.LessOrEqual(t, double.ProviderTokens(), 15)

	// One that our clock makes too old or too new is refused, and no push is given up for it.
	p := newTestPusher(t, double)
	p.at(func() time.Time { return clock.now().Add(-2 * time.Hour) })
	require.Equal(t, &failure{text: "APNs answered 403 ExpiredProviderToken"}, send(t, p, iphone).err)
}

// A fakeClock stands still unless it is set.
type fakeClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func TestPushConfig(t *testing.T) {
	t.Parallel()
	off, err := newPusher(pushConfig{APNs: apnsConfig{URL: "https://api.push.apple.com"}, FCM: fcmConfig{URL: "https://fcm.googleapis.com"}})
	require.NoError(t, err)
	require.Equal(t, &failure{text: "pushes to android are not set up; pushes to ios are not set up", permanent: true},
		off.push(t.Context(), samplePush(), []device{iphone, pixel, ipad}).err)

	good := pushConfigFor(newDouble(t))
	other := base64.StdEncoding.EncodeToString([]byte("secret"))
	for says, change := range map[string]func(*pushConfig){
		"no APNS_KEY_ID, APNS_TOPIC":  func(c *pushConfig) { c.APNs.KeyID, c.APNs.Topic = "", "" },
		"no APNS_KEY:":                func(c *pushConfig) { c.APNs.Key = "" },
		"APNS_KEY is not":             func(c *pushConfig) { c.APNs.Key = other },
		"APNS_URL is not":             func(c *pushConfig) { c.APNs.URL = "http://api.push.apple.com" },
		"FCM_URL is not":              func(c *pushConfig) { c.FCM.URL = "fcm.googleapis.com" },
		"no project_id":               func(c *pushConfig) { c.FCM.Credentials = strings.Replace(c.FCM.Credentials, "project_id", "x", 1) },
		"private_key is not PEM":      func(c *pushConfig) { c.FCM.Credentials = strings.Replace(c.FCM.Credentials, "BEGIN", other, 1) },
		"not the JSON of a service":   func(c *pushConfig) { c.FCM.Credentials = other },
		"token_uri is not an address": func(c *pushConfig) { c.FCM.Credentials = strings.Replace(c.FCM.Credentials, "127.0.0.1", "8.8.8.8", 1) },
	} {
		cfg := good
		change(&cfg)
		_, err := newPusher(cfg)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), other)
	}
}

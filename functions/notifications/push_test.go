package main

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
	"github.com/honeydue/backend/shared/notice"
)

// pushKeys are made once: RSA keys take their time.
var pushKeys = sync.OnceValues(push.NewCredentials)

// tokenOf returns a device token of iOS.
func tokenOf(name string) string {
	return hex.EncodeToString([]byte(name + strings.Repeat("-", 32-len(name))))
}

func newDouble(t *testing.T) *push.Double {
	t.Helper()
	keys, err := pushKeys()
	require.NoError(t, err)
	double := push.New(keys, slog.New(slog.DiscardHandler))
	require.NoError(t, double.Start())
	t.Cleanup(double.Stop)
	return double
}

func pushConfigFor(double *push.Double) pushConfig {
	env := double.Environment()
	return pushConfig{
		APNs: apnsConfig{URL: env["APNS_URL"], Key: env["APNS_KEY"], KeyID: env["APNS_KEY_ID"], Team: env["APNS_TEAM_ID"], Topic: env["APNS_TOPIC"]},
		FCM:  fcmConfig{URL: env["FCM_URL"], Credentials: env["FCM_CREDENTIALS"]},
	}
}

func newTestPusher(t *testing.T, double *push.Double) *pusher {
	t.Helper()
	p, err := newPusher(pushConfigFor(double))
	require.NoError(t, err)
	t.Cleanup(p.close)
	return p
}

// at makes a pusher believe another time.
func (p *pusher) at(clock func() time.Time) {
	p.services[platformIOS].(*apns).now = clock
	p.services[platformAndroid].(*fcm).now = clock
}

var (
	registered = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	iphone     = device{ID: 3, Platform: platformIOS, Token: tokenOf("iphone"), RegisteredAt: registered}
	ipad       = device{ID: 4, Platform: platformIOS, Token: tokenOf("ipad"), RegisteredAt: registered}
	pixel      = device{ID: 5, Platform: platformAndroid, Token: "pixel:APA91b", RegisteredAt: registered} //nolint:gosec // a double's
)

func samplePush() notification {
	return notification{
		MessageID: 7, Type: notice.TaskAssigned, Badge: 2, Buttons: []string{"edit", "complete"}, TaskID: 11, ResidenceID: 5,
		Words:  notice.Of(notice.Facts{Type: notice.TaskAssigned, Actor: "Anna", Home: "Lake house", Task: "Clean the gutters"}),
		Thread: "residence-5", Collapse: "message-7", ExpiresAt: time.Now().Add(time.Hour),
	}
}

func send(t *testing.T, p *pusher, to ...device) pushed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return p.push(ctx, samplePush(), to)
}

func TestPushReachesEveryDevice(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	require.Equal(t, pushed{took: []int64{3, 4, 5}}, send(t, p, iphone, ipad, pixel))
	require.Len(t, double.Pushes(), 3)
	got, err := double.Wait(t.Context(), func(p push.Push) bool { return p.DeviceToken == iphone.Token })
	require.NoError(t, err)
	require.Equal(t, "For you: Clean the gutters", got.Title)
	require.Equal(t, "message-7", got.Headers["apns-collapse-id"])
	require.Equal(t, "10", got.Headers["apns-priority"])
	require.Regexp(t, `^\d{10}$`, got.Headers["apns-expiration"])
	id := got.Headers["apns-id"]
	require.Equal(t, []int64{3}, send(t, p, iphone).took)
	require.Equal(t, id, double.Pushes()[0].Headers["apns-id"], "a repeat is the same notification")
	require.Equal(t, 1, double.ProviderTokens())
}

// What every answer means for the push, the device and the next try. The token of a device and our keys are in no failure.
func TestAnswersToPushes(t *testing.T) {
	t.Parallel()
	inADay := time.Now().Add(12 * time.Hour).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		to        device
		answer    push.Answer
		took      bool
		gone      bool
		says      string // why it failed, if it did
		permanent bool
		wait      time.Duration
		requests  int
	}{
		"bad token":             {to: iphone, answer: push.Answer{Status: 400, Reason: "BadDeviceToken"}, gone: true},
		"another app's token":   {to: iphone, answer: push.Answer{Status: 400, Reason: "DeviceTokenNotForTopic"}, says: "APNS_TOPIC does not fit the app or its key: APNs answered 400 DeviceTokenNotForTopic"},
		"topic not allowed":     {to: iphone, answer: push.Answer{Status: 400, Reason: "TopicDisallowed"}, says: "APNS_TOPIC does not fit the app or its key: APNs answered 400 TopicDisallowed"},
		"no topic":              {to: iphone, answer: push.Answer{Status: 400, Reason: "BadTopic"}, says: "APNS_TOPIC does not fit the app or its key: APNs answered 400 BadTopic"},
		"unregistered":          {to: iphone, answer: push.Answer{Status: 410, Reason: "Unregistered", At: registered.Add(time.Minute)}, gone: true},
		"expired":               {to: iphone, answer: push.Answer{Status: 410, Reason: "ExpiredToken", At: registered.Add(time.Minute)}, gone: true},
		"expired, by 400":       {to: iphone, answer: push.Answer{Status: 400, Reason: "ExpiredToken"}, gone: true},
		"registered again":      {to: iphone, answer: push.Answer{Status: 410, Reason: "Unregistered", At: registered.Add(-time.Minute)}, says: "APNs answered 410 Unregistered"},
		"old provider token":    {to: iphone, answer: push.Answer{Status: 403, Reason: "ExpiredProviderToken"}, says: "APNs answered 403 ExpiredProviderToken", requests: 2},
		"wrong provider token":  {to: iphone, answer: push.Answer{Status: 403, Reason: "InvalidProviderToken"}, says: "APNs answered 403 InvalidProviderToken", requests: 2},
		"forbidden":             {to: iphone, answer: push.Answer{Status: 403, Reason: "Forbidden"}, says: "APNs answered 403 Forbidden"},
		"too many":              {to: iphone, answer: push.Answer{Status: 429, Reason: "TooManyRequests", RetryAfter: "90"}, says: "APNs answered 429 TooManyRequests", wait: 90 * time.Second},
		"too many, until":       {to: iphone, answer: push.Answer{Status: 429, Reason: "TooManyRequests", RetryAfter: inADay}, says: "APNs answered 429 TooManyRequests", wait: 12 * time.Hour},
		"waits too long":        {to: iphone, answer: push.Answer{Status: 503, RetryAfter: "99999999999"}, says: "APNs answered 503", wait: maxWait},
		"waits for nonsense":    {to: iphone, answer: push.Answer{Status: 503, Reason: "Shutdown", RetryAfter: "soon"}, says: "APNs answered 503 Shutdown"},
		"broken":                {to: iphone, answer: push.Answer{Status: 500, Reason: "InternalServerError"}, says: "APNs answered 500 InternalServerError"},
		"too large":             {to: iphone, answer: push.Answer{Status: 413, Reason: "PayloadTooLarge"}, says: "APNs answered 413 PayloadTooLarge", permanent: true},
		"wrong":                 {to: iphone, answer: push.Answer{Status: 400, Reason: "BadCollapseId"}, says: "APNs answered 400 BadCollapseId", permanent: true},
		"says what we said":     {to: iphone, answer: push.Answer{Status: 400, Reason: "no " + iphone.Token}, says: "APNs answered 400", permanent: true},
		"idle":                  {to: iphone, answer: push.Answer{Status: 400, Reason: "IdleTimeout"}, says: "APNs answered 400 IdleTimeout"},
		"elsewhere":             {to: iphone, answer: push.Answer{Status: 307}, says: "APNs answered 307", permanent: true},
		"FCM unregistered":      {to: pixel, answer: push.Answer{Status: 404, Reason: "UNREGISTERED"}, gone: true},
		"FCM knows no such":     {to: pixel, answer: push.Answer{Status: 404}, says: "FCM answered 404 NOT_FOUND"},
		"FCM wrong token":       {to: pixel, answer: push.Answer{Status: 400, Reason: "INVALID_ARGUMENT", Message: "The registration token is not a valid FCM registration token"}, gone: true},
		"FCM token's field":     {to: pixel, answer: push.Answer{Status: 400, Reason: "INVALID_ARGUMENT", Field: "message.token"}, gone: true},
		"FCM wrong":             {to: pixel, answer: push.Answer{Status: 400, Reason: "INVALID_ARGUMENT", Field: "message.data"}, says: "FCM answered 400 INVALID_ARGUMENT", permanent: true},
		"FCM other sender":      {to: pixel, answer: push.Answer{Status: 403, Reason: "SENDER_ID_MISMATCH"}, says: "FCM_CREDENTIALS do not fit the app's project: FCM answered 403 SENDER_ID_MISMATCH"},
		"FCM not allowed":       {to: pixel, answer: push.Answer{Status: 403, Reason: "PERMISSION_DENIED"}, says: "FCM answered 403 PERMISSION_DENIED"},
		"FCM who are you":       {to: pixel, answer: push.Answer{Status: 401, Reason: "THIRD_PARTY_AUTH_ERROR"}, says: "FCM answered 401 THIRD_PARTY_AUTH_ERROR", requests: 2},
		"FCM too many":          {to: pixel, answer: push.Answer{Status: 429, Reason: "QUOTA_EXCEEDED", RetryAfter: "60"}, says: "FCM answered 429 QUOTA_EXCEEDED", wait: time.Minute},
		"FCM unavailable":       {to: pixel, answer: push.Answer{Status: 503, Reason: "UNAVAILABLE", RetryAfter: inADay}, says: "FCM answered 503 UNAVAILABLE", wait: 12 * time.Hour},
		"FCM broken":            {to: pixel, answer: push.Answer{Status: 500, Reason: "INTERNAL"}, says: "FCM answered 500 INTERNAL"},
		"no devices of the web": {to: device{ID: 9, Platform: "web"}, says: "pushes to web are not set up", permanent: true},
		"not a token":           {to: device{ID: 9, Platform: platformIOS, Token: "../../x?y"}, gone: true}, //nolint:gosec // none
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			double := newDouble(t)
			p := newTestPusher(t, double)
			double.Answer(c.to.Token, &c.answer)
			got := send(t, p, c.to, ipad)
			require.Equal(t, []int64{ipad.ID}, got.took, "others get it all the same")
			require.Equal(t, c.gone, got.gone != nil)
			require.Equal(t, c.says == "", got.err == nil)
			if c.says != "" {
				var f *failure
				require.ErrorAs(t, got.err, &f)
				require.Equal(t, c.says, f.text)
				require.Equal(t, c.permanent, f.permanent)
				require.InDelta(t, c.wait.Seconds(), f.wait.Seconds(), 600, "but for the time that the test took")
			}
			if c.requests > 0 {
				require.Equal(t, c.requests, double.Requests(c.to.Token))
			}
		})
	}
}

// A device that registers while its push is on the way is another one.
func TestAndroidThatRegistersAgain(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	again := pixel
	again.RegisteredAt = time.Now().Add(time.Minute)
	double.Answer(pixel.Token, &push.Answer{Status: http.StatusNotFound, Reason: "UNREGISTERED"})
	got := send(t, p, again)
	require.Empty(t, got.gone)
	require.EqualError(t, got.err, "FCM answered 404 UNREGISTERED")
}

func TestFailuresAreJoined(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	double.Answer(iphone.Token, &push.Answer{Status: http.StatusRequestEntityTooLarge, Reason: "PayloadTooLarge"})
	double.Answer(pixel.Token, &push.Answer{Status: http.StatusServiceUnavailable, RetryAfter: "40"})
	got := send(t, p, pixel, iphone)
	require.Empty(t, got.took)
	require.Equal(t, &failure{text: "APNs answered 413 PayloadTooLarge; FCM answered 503 UNAVAILABLE", wait: 40 * time.Second}, got.err)
}

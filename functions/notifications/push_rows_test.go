package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// A duo is ben with both kinds of phones, who is given a task.
type duo struct {
	*bundle
	double        *push.Double
	iphone, pixel int64 // ids
}

func newDuo(t *testing.T) duo {
	t.Helper()
	b := setup(t)
	return duo{b, b.withPhones(t), b.phone(t, b.ben, platformIOS, iphone.Token), b.phone(t, b.ben, platformAndroid, pixel.Token)}
}

// took returns which phones have taken the push.
func (p duo) took(t *testing.T) []int64 {
	t.Helper()
	ids := functiontest.Value[[]int64](t, p.Server, `SELECT devices FROM notification_message WHERE channel = 'push'`)
	slices.Sort(ids)
	return ids
}

// kept returns which phones are still registered.
func (p duo) kept(t *testing.T) []int64 {
	t.Helper()
	return functiontest.Value[[]int64](t, p.Server, `SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM auth_device`)
}

// wait returns how long after the last attempt began the next may begin, in seconds.
func (p duo) wait(t *testing.T) float64 {
	t.Helper()
	return functiontest.Value[float64](t, p.Server, `
		SELECT extract(epoch FROM next_at - claimed_at)::float8 FROM notification_message WHERE channel = 'push'`)
}

// ids returns those of phones: i is the iPhone, p the Pixel.
func (p duo) ids(letters string) []int64 {
	ids := []int64{}
	for _, letter := range letters {
		ids = append(ids, map[rune]int64{'i': p.iphone, 'p': p.pixel}[letter])
	}
	return ids
}

// What phones' providers answer is what becomes of the row, of the devices, and of the next try.
func TestRowOfAPush(t *testing.T) {
	t.Parallel()
	before, after := time.Now().Add(-2*time.Hour), time.Now().Add(-time.Minute) // they registered an hour ago
	for name, c := range map[string]struct {
		ios, android *push.Answer
		row          string
		took, kept   string  // letters of phones
		wait         float64 // least seconds until the next try
		again        string  // the row after that, when nothing is wrong any more; empty: there is none
	}{
		"both take it": {row: "sent 1", took: "ip", kept: "ip"},
		"FCM is busy": {
			android: &push.Answer{Status: 503, RetryAfter: "120"},
			row:     "pending 1 FCM answered 503 UNAVAILABLE", took: "i", kept: "ip", wait: 120, again: "sent 2",
		},
		"APNs is busy": {
			ios: &push.Answer{Status: 503, Reason: "ServiceUnavailable", RetryAfter: "120"},
			row: "pending 1 APNs answered 503 ServiceUnavailable", took: "p", kept: "ip", wait: 120, again: "sent 2",
		},
		"APNs has too many": {
			ios: &push.Answer{Status: 429, Reason: "TooManyRequests"},
			row: "pending 1 APNs answered 429 TooManyRequests", took: "p", kept: "ip", wait: 20, again: "sent 2",
		},
		"FCM has too many": {
			android: &push.Answer{Status: 429, Reason: "QUOTA_EXCEEDED", RetryAfter: "3600"},
			row:     "pending 1 FCM answered 429 QUOTA_EXCEEDED", took: "i", kept: "ip", wait: 3600, again: "sent 2",
		},
		"both are busy, one for longer": {
			ios: &push.Answer{Status: 503, RetryAfter: "300"}, android: &push.Answer{Status: 503, RetryAfter: "60"},
			row: "pending 1 APNs answered 503; FCM answered 503 UNAVAILABLE", kept: "ip", wait: 300, again: "sent 2",
		},
		"APNs does not know us": {
			ios: &push.Answer{Status: 403, Reason: "InvalidProviderToken"},
			row: "pending 1 APNs answered 403 InvalidProviderToken", took: "p", kept: "ip", wait: 20, again: "sent 2",
		},
		"gone since": {ios: &push.Answer{Status: 410, Reason: "Unregistered", At: after}, row: "sent 1", took: "p", kept: "p"},
		"gone before it registered": {
			ios: &push.Answer{Status: 410, Reason: "Unregistered", At: before},
			row: "pending 1 APNs answered 410 Unregistered", took: "p", kept: "ip", wait: 20, again: "sent 2",
		},
		"no device's token": {ios: &push.Answer{Status: 400, Reason: "BadDeviceToken"}, row: "sent 1", took: "p", kept: "p"},
		"FCM unregistered":  {android: &push.Answer{Status: 404, Reason: "UNREGISTERED"}, row: "sent 1", took: "i", kept: "i"},
		"FCM's token is none": {
			android: &push.Answer{Status: 400, Reason: "INVALID_ARGUMENT", Field: "message.token"}, row: "sent 1", took: "i", kept: "i",
		},
		"APNs is asked for another app": {
			ios: &push.Answer{Status: 400, Reason: "DeviceTokenNotForTopic"},
			row: "pending 1 APNS_TOPIC does not fit the app or its key: APNs answered 400 DeviceTokenNotForTopic", took: "p", kept: "ip", wait: 20, again: "sent 2",
		},
		"FCM is asked by another sender": {
			android: &push.Answer{Status: 403, Reason: "SENDER_ID_MISMATCH"},
			row:     "pending 1 FCM_CREDENTIALS do not fit the app's project: FCM answered 403 SENDER_ID_MISMATCH", took: "i", kept: "ip", wait: 20, again: "sent 2",
		},
		"all are gone": {
			ios: &push.Answer{Status: 410, Reason: "Unregistered", At: after}, android: &push.Answer{Status: 404, Reason: "UNREGISTERED"},
			row: "dead 1 no device is left",
		},
		"one is gone, one is busy": {
			ios: &push.Answer{Status: 410, Reason: "Unregistered", At: after}, android: &push.Answer{Status: 503, RetryAfter: "120"},
			row: "pending 1 FCM answered 503 UNAVAILABLE", kept: "p", wait: 120, again: "sent 2",
		},
		"one is refused for good": {
			ios: &push.Answer{Status: 413, Reason: "PayloadTooLarge"}, row: "sent 1 APNs answered 413 PayloadTooLarge", took: "p", kept: "ip",
		},
		"both are refused for good": {
			ios:     &push.Answer{Status: 413, Reason: "PayloadTooLarge"},
			android: &push.Answer{Status: 400, Reason: "INVALID_ARGUMENT", Field: "message.data"},
			row:     "dead 1 APNs answered 413 PayloadTooLarge; FCM answered 400 INVALID_ARGUMENT", kept: "ip",
		},
		"one is refused for good, one is busy": {
			ios: &push.Answer{Status: 413, Reason: "PayloadTooLarge"}, android: &push.Answer{Status: 503, RetryAfter: "120"},
			row: "pending 1 APNs answered 413 PayloadTooLarge; FCM answered 503 UNAVAILABLE", kept: "ip", wait: 120, again: "sent 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newDuo(t)
			p.double.Answer(iphone.Token, c.ios)
			p.double.Answer(pixel.Token, c.android)
			id := p.assigned(t)
			p.done(t, id)
			require.Equal(t, "done 1", p.state(t, id))
			require.Equal(t, c.row, p.rowOf(t, channelPush))
			require.Equal(t, p.ids(c.took), p.took(t))
			require.Equal(t, p.ids(c.kept), p.kept(t))
			require.Equal(t, "sent 1", p.row(t), "the mail is another message")
			require.NotContains(t, p.log.String(), iphone.Token)
			require.NotContains(t, p.log.String(), pixel.Token)

			p.double.Answer(iphone.Token, nil)
			p.double.Answer(pixel.Token, nil)
			first := map[string]int{iphone.Token: p.double.Requests(iphone.Token), pixel.Token: p.double.Requests(pixel.Token)}
			if c.again != "" {
				require.GreaterOrEqual(t, p.wait(t), c.wait)
				require.Less(t, p.wait(t), max(c.wait, firstPause.Seconds())+p.service.lease().Seconds())
			}
			p.due(t)
			p.tick(t)
			if c.again == "" {
				require.Equal(t, c.row, p.rowOf(t, channelPush))
				require.Equal(t, p.ids(c.took), p.took(t))
			} else {
				require.Equal(t, c.again, p.rowOf(t, channelPush))
				require.Equal(t, p.ids(c.kept), p.took(t))
			}
			for letter, token := range map[string]string{"i": iphone.Token, "p": pixel.Token} {
				more := 0
				if c.again != "" && strings.Contains(c.kept, letter) && !strings.Contains(c.took, letter) {
					more = 1
				}
				require.Equal(t, first[token]+more, p.double.Requests(token), "who has it does not get it again")
			}
			require.Len(t, p.mail.all(), 1)
		})
	}
}

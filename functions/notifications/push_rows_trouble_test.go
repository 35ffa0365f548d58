package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
)

// withIPhone is a bundle of which ben has an iPhone alone.
func withIPhone(t *testing.T) duo {
	t.Helper()
	b := setup(t)
	return duo{bundle: b, double: b.withPhones(t), iphone: b.phone(t, b.ben, platformIOS, iphone.Token)}
}

func TestRowOfAPushWithAnOldProviderToken(t *testing.T) {
	t.Parallel()
	p := withIPhone(t)
	p.double.AnswerNext(push.Answer{Status: http.StatusForbidden, Reason: "ExpiredProviderToken"})
	p.done(t, p.assigned(t))
	require.Equal(t, "sent 1", p.rowOf(t, channelPush))
	require.Equal(t, p.ids("i"), p.took(t))
	require.Equal(t, 2, p.double.Requests(iphone.Token))
	require.Equal(t, 2, p.double.ProviderTokens())
}

func TestRowOfAPushOverAConnectionThatEnds(t *testing.T) {
	t.Parallel()
	for name, processed := range map[string]bool{"before it is looked at": false, "after it may have been": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := withIPhone(t)
			p.double.GoAway(1, processed)
			p.done(t, p.assigned(t))
			if processed {
				require.Equal(t, "pending 1 APNs: the connection broke", p.rowOf(t, channelPush))
				require.Empty(t, p.took(t))
				p.due(t)
				p.tick(t)
				require.Equal(t, "sent 2", p.rowOf(t, channelPush))
			} else {
				require.Equal(t, "sent 1", p.rowOf(t, channelPush))
			}
			require.Equal(t, p.ids("i"), p.took(t))
			require.Len(t, p.double.Pushes(), 1)
		})
	}
}

func TestRowOfAPushThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	for platform, says := range map[string]string{platformIOS: "APNs: no answer in time", platformAndroid: "FCM: no answer in time"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			double := b.withPhones(t)
			token := map[string]string{platformIOS: iphone.Token, platformAndroid: pixel.Token}[platform]
			id := b.phone(t, b.ben, platform, token)
			b.done(t, b.assigned(t)) // signed in
			require.Equal(t, "sent 1", b.rowOf(t, channelPush))
			b.Exec(t, `UPDATE notification_message SET state = 'pending', attempts = 0, devices = '{}' WHERE channel = 'push'`)

			double.Answer(token, &push.Answer{Silent: true})
			b.service.deadline = 4 * time.Second
			b.due(t)
			b.tick(t)
			require.Equal(t, "pending 1 "+says, b.rowOf(t, channelPush))
			double.Answer(token, nil)
			b.service.deadline = longestDeadline
			b.due(t)
			b.tick(t)
			require.Equal(t, "sent 2", b.rowOf(t, channelPush))
			require.Equal(t, []int64{id}, duo{bundle: b}.took(t))
		})
	}
}

func TestRowOfAPushWhileProvidersAreAway(t *testing.T) {
	t.Parallel()
	p := newDuo(t)
	p.double.Stop()
	p.done(t, p.assigned(t))
	require.Equal(t, "pending 1 APNs: connection refused; sign in to FCM: connection refused", p.rowOf(t, channelPush))
	require.Equal(t, p.ids("ip"), p.kept(t))
	require.NoError(t, p.double.Start())
	p.due(t)
	p.tick(t)
	require.Equal(t, "sent 2", p.rowOf(t, channelPush))
	require.Equal(t, p.ids("ip"), p.took(t))
}

// A phone that registers again while its push is refused is another one: the refusal is not about it.
func TestAPhoneThatRegistersWhileItIsRefusedStays(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]map[string]push.Answer{
		"gone": {
			iphone.Token: {Status: http.StatusGone, Reason: "Unregistered", At: time.Now().Add(-time.Minute)},
			pixel.Token:  {Status: http.StatusNotFound, Reason: "UNREGISTERED"},
		},
		"no device's token": {
			iphone.Token: {Status: http.StatusBadRequest, Reason: "BadDeviceToken"},
			pixel.Token:  {Status: http.StatusBadRequest, Reason: "INVALID_ARGUMENT", Field: "message.token"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newDuo(t)
			for token, answer := range answers {
				p.double.Answer(token, &answer)
			}
			p.backlog(t, 1)
			p.Exec(t, `UPDATE notification_message SET channel = 'push'`)
			claimed, err := p.service.claim(t.Context(), 1)
			require.NoError(t, err)
			require.Len(t, claimed, 1)
			require.Len(t, claimed[0].Devices, 2)
			p.Exec(t, `UPDATE auth_device SET registered_at = now() WHERE id = $1`, p.iphone)
			p.service.deliver(t.Context(), claimed[0], &courier{})
			require.Equal(t, p.ids("i"), p.kept(t))
			require.Equal(t, "pending 1 a phone that is gone may have been registered again", p.rowOf(t, channelPush))

			p.double.Answer(iphone.Token, nil)
			p.due(t)
			p.tick(t)
			require.Equal(t, "sent 2", p.rowOf(t, channelPush))
		})
	}
}

// Whoever has it has it: that a phone which was busy is no more changes nothing about that.
func TestRowOfAPushToAPhoneThatGoesBeforeItsNextTry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goes func(*testing.T, duo)
		row  string
	}{
		"signed out": {func(t *testing.T, p duo) {
			t.Helper()
			p.Exec(t, `DELETE FROM auth_device WHERE id = $1`, p.pixel)
		}, "sent 1 no device is left"},
		"told by its provider": {func(_ *testing.T, p duo) {
			p.double.Answer(pixel.Token, &push.Answer{Status: http.StatusNotFound, Reason: "UNREGISTERED"})
		}, "sent 2 no device is left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newDuo(t)
			p.double.Answer(pixel.Token, &push.Answer{Status: http.StatusServiceUnavailable})
			p.done(t, p.assigned(t))
			require.Equal(t, "pending 1 FCM answered 503 UNAVAILABLE", p.rowOf(t, channelPush))
			c.goes(t, p)
			p.due(t)
			p.tick(t)
			require.Equal(t, c.row, p.rowOf(t, channelPush))
			require.Equal(t, p.ids("i"), p.took(t))
			require.Equal(t, p.ids("i"), p.kept(t))
			require.Equal(t, 1, p.double.Requests(iphone.Token))
		})
	}
}

func TestRowOfAPushWithoutProviders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		off  []string // platforms
		row  string
		took string
	}{
		"none":    {[]string{platformIOS, platformAndroid}, "dead 1 pushes to android are not set up; pushes to ios are not set up", ""},
		"no FCM":  {[]string{platformAndroid}, "sent 1 pushes to android are not set up", "i"},
		"no APNs": {[]string{platformIOS}, "sent 1 pushes to ios are not set up", "p"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newDuo(t)
			for _, platform := range c.off {
				delete(p.service.pusher.services, platform)
			}
			p.done(t, p.assigned(t))
			require.Equal(t, c.row, p.rowOf(t, channelPush))
			require.Equal(t, p.ids(c.took), p.took(t))
			require.Equal(t, p.ids("ip"), p.kept(t))
			require.Equal(t, "sent 1", p.row(t))
		})
	}
}

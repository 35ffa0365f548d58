// Command auth loads function auth as people do who open the app: it asks who they are and what is new. Some sign in, in and out
// again, or mistype their password; now and then somebody registers.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

const homes = 12

func main() {
	load.Main(load.Test{Function: "auth", Rate: 80, P99: 400 * time.Millisecond, Mix: mix})
}

func mix(ctx context.Context, at *load.Site) (func() load.Call, error) {
	village, err := at.Village(ctx, homes)
	if err != nil {
		return nil, err
	}
	p := &people{Village: village, at: at}
	for _, v := range village.People {
		if err := v.Create(ctx, devices, http.StatusCreated, phoneOf(v), nil); err != nil {
			return nil, err
		}
	}
	return load.Mixed(
		load.Share{Weight: 30, Call: p.me},
		load.Share{Weight: 20, Call: p.news},
		load.Share{Weight: 10, Call: p.preferences},
		load.Share{Weight: 6, Call: p.devices},
		load.Share{Weight: 4, Call: p.sessions},
		load.Share{Weight: 4, Call: p.changePreferences},
		load.Share{Weight: 4, Call: p.registerDevice},
		load.Share{Weight: 3, Call: p.changeMe},
		load.Share{Weight: 6, Call: p.signIn},
		load.Share{Weight: 7, Call: p.signOut},
		load.Share{Weight: 3, Call: p.ended},
		load.Share{Weight: 1, Call: p.mistype},
		load.Share{Weight: 1, Call: p.stranger},
		load.Share{Weight: 1, Call: p.register},
	), nil
}

// people live in a village. Each keeps the session that they came with; those that open and end are others.
type people struct {
	*load.Village

	at   *load.Site
	open load.Pool[*story.Phone] // sessions to be ended
	dead load.Pool[*story.Phone] // those that were
}

func (p *people) me() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "me", Method: http.MethodGet, URL: "/api/auth/me/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isUser(body, v.Email) },
	}
}

// locales are what people choose of.
var locales = [...]string{"en", "en-GB", "de", "fr-CA"}

func (p *people) changeMe() load.Call {
	v, locale := load.OneOf(p.People), load.OneOf(locales[:])
	return load.Call{
		Name: "change me", Method: http.MethodPatch, URL: "/api/auth/me/", As: v.Phone, Body: map[string]string{"locale": locale}, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			if err := isUser(body, v.Email); err != nil {
				return err
			}
			changed, err := load.Decode[struct{ Locale string }](body)
			return load.Wrong(err, changed.Locale != locale, "the locale is not the one that was sent")
		},
	}
}

// news is the app's list: of the person's own homes, and of no others.
func (p *people) news() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "notifications", Method: http.MethodGet, URL: "/api/notifications/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct {
				Results []struct {
					ResidenceID int64 `json:"residence_id"`
				}
				UnreadCount *int `json:"unread_count"`
			}](body)
			for _, entry := range list.Results {
				if !v.Sees(entry.ResidenceID) {
					return errors.New("the list tells of a stranger's home")
				}
			}
			return load.Wrong(err, list.UnreadCount == nil, "the list has no count of what is unread")
		},
	}
}

const preferences = "/api/notifications/preferences/"

type preferred struct {
	DailyDigestHour *int `json:"daily_digest_hour"`
	Types           map[string]struct{ Email, Push *bool }
}

func (p *people) preferences() load.Call {
	return load.Call{
		Name: "preferences", Method: http.MethodGet, URL: preferences, As: load.OneOf(p.People).Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			shown, err := load.Decode[preferred](body)
			return load.Wrong(err, shown.DailyDigestHour == nil || shown.Types["task_completed"].Push == nil, "the preferences are not whole")
		},
	}
}

func (p *people) changePreferences() load.Call {
	hour := load.OneOf([]int{6, 7, 8, 9, 18})
	return load.Call{
		Name: "change preferences", Method: http.MethodPatch, URL: preferences, As: load.OneOf(p.People).Phone, Status: http.StatusOK,
		Body: map[string]any{"daily_digest_hour": hour, "types": map[string]any{"task_completed": map[string]bool{"email": hour < 8}}},
		Check: func(_ http.Header, body []byte) error {
			shown, err := load.Decode[preferred](body)
			mails := shown.Types["task_completed"].Email
			return load.Wrong(err, shown.DailyDigestHour == nil || *shown.DailyDigestHour != hour || mails == nil || *mails != (hour < 8),
				"the preferences are not those that were sent")
		},
	}
}

const devices = "/api/notifications/devices/"

// phoneOf is the person's one device, as the app tells of it at each start.
func phoneOf(v *load.Villager) map[string]string {
	sum := sha256.Sum256([]byte(v.Email))
	return map[string]string{"platform": "ios", "token": hex.EncodeToString(sum[:]), "name": nameOf(v), "app_version": "2.4.1"}
}

func nameOf(v *load.Villager) string { return v.Email[:20] + "'s phone" }

func (p *people) registerDevice() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "register device", Method: http.MethodPost, URL: devices, As: v.Phone, Body: phoneOf(v), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			kept, err := load.Decode[device](body)
			return load.Wrong(err, kept.Name != nameOf(v) || !kept.Current, "the device is not the one that was sent")
		},
	}
}

type device struct {
	Name    string
	Current bool
}

// devices are the one phone, however often it was registered.
func (p *people) devices() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "devices", Method: http.MethodGet, URL: devices, As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct{ Results []device }](body)
			return load.Wrong(err, len(list.Results) != 1 || list.Results[0].Name != nameOf(v), "the devices are not the person's one phone")
		},
	}
}

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
	p := &people{}
	// A password takes a core for as long as guessing it is to take.
	hashed := 200 * time.Millisecond
	load.Main(load.Test{
		Function: "auth", Rate: 80, P99: 100 * time.Millisecond, Mix: p.mix, Settle: p.settle,
		Slower: map[string]time.Duration{"sign in": hashed, "wrong password": hashed, "no such account": hashed, "register": hashed},
	})
}

func (p *people) mix(ctx context.Context, at *load.Site) (_ func() load.Call, err error) {
	if p.Village, err = at.Village(ctx, homes); err != nil {
		return nil, err
	}
	p.at = at
	for _, v := range p.People {
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
	open load.Pool[session] // to be ended
	dead load.Pool[session] // that were

	moved load.Pool[*load.Villager] // who changed what is kept of them
	tuned load.Pool[*load.Villager] // who changed what they are told
}

// A session is one that was opened, and whose it is.
type session struct {
	*story.Phone

	email string
}

func (p *people) me() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "me", Method: http.MethodGet, URL: "/api/auth/me/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isUser(body, v.Email) },
	}
}

// locale is what a person chooses, the same each time, so that it does not matter which phone is the last.
func locale(v *load.Villager) string { return []string{"en-GB", "de", "fr-CA"}[v.ID%3] }

func (p *people) changeMe() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "change me", Method: http.MethodPatch, URL: "/api/auth/me/", As: v.Phone, Body: map[string]string{"locale": locale(v)}, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			changed, err := load.Decode[user](body)
			if err := load.Wrong(err, changed.Email != v.Email || changed.Locale != locale(v), "the account is not the one that was sent"); err != nil {
				return err
			}
			p.moved.Put(v)
			return nil
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

// hour is when a person wants to hear of the day.
func hour(v *load.Villager) int { return 5 + int(v.ID%5) }

// of returns whether the preferences are those that v sends.
func (p preferred) of(v *load.Villager) bool {
	mails := p.Types["task_completed"].Email
	return p.DailyDigestHour != nil && *p.DailyDigestHour == hour(v) && mails != nil && *mails == (hour(v) < 8)
}

func (p *people) changePreferences() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "change preferences", Method: http.MethodPatch, URL: preferences, As: v.Phone, Status: http.StatusOK,
		Body: map[string]any{"daily_digest_hour": hour(v), "types": map[string]any{"task_completed": map[string]bool{"email": hour(v) < 8}}},
		Check: func(_ http.Header, body []byte) error {
			shown, err := load.Decode[preferred](body)
			if err := load.Wrong(err, !shown.of(v), "the preferences are not those that were sent"); err != nil {
				return err
			}
			p.tuned.Put(v)
			return nil
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

package tests

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"

	"github.com/honeydue/backend/tests/story"
)

// A villager is somebody with what decides which messages they get.
type villager struct {
	*story.Person
	verified  bool
	devices   []string        // tokens
	muted     map[string]bool // <type>.<channel>
	password  string
	asked     bool // for a code that resets it
	forgetful bool // the code is still good
	changes   int  // of the password
}

// securityAnHour is how many mails about their account somebody gets within an hour.
const securityAnHour = 5

// register gives somebody one or two phones.
func (v *village) register(ctx context.Context, t *testing.T, p *villager) {
	t.Helper()
	var digits [32]byte
	_, _ = rand.Read(digits[:])
	for platform, token := range map[string]string{"ios": hex.EncodeToString(digits[:]), "android": rand.Text()} {
		if platform == "android" && v.random.IntN(2) == 0 {
			continue
		}
		v.must(ctx, t, p, http.MethodPost, "/api/notifications/devices/", map[string]any{"platform": platform, "token": token}, nil)
		p.devices = append(p.devices, token)
	}
}

// mute has somebody switch off some of what they could hear of.
func (v *village) mute(ctx context.Context, t *testing.T, p *villager) {
	t.Helper()
	types := map[string]any{}
	for _, typ := range []string{"task_assigned", "task_completed", "residence_joined"} {
		channels := map[string]any{}
		for _, channel := range []string{"email", "push"} {
			p.muted[typ+"."+channel] = v.random.IntN(5) == 0
			channels[channel] = !p.muted[typ+"."+channel]
		}
		types[typ] = channels
	}
	v.must(ctx, t, p, http.MethodPatch, "/api/notifications/preferences/", map[string]any{"types": types}, nil)
}

// changePassword ends a code that was asked for.
func (v *village) changePassword(ctx context.Context, t *testing.T) {
	t.Helper()
	p := pick(v.random, v.people)
	if p.changes++; p.changes > securityAnHour {
		return
	}
	next := fmt.Sprintf("%s-%d", story.Password, len(v.facts))
	v.must(ctx, t, p, http.MethodPost, "/api/auth/change-password/", map[string]any{"current_password": p.password, "new_password": next}, nil)
	p.password, p.forgetful = next, false
	v.tell(fact{typ: "security", to: p})
}

// forget has somebody ask for a code that resets their password; once, since a second one could end the first.
func (v *village) forget(ctx context.Context, t *testing.T) {
	t.Helper()
	p := pick(v.random, v.people)
	if p.asked {
		return
	}
	v.must(ctx, t, p, http.MethodPost, "/api/auth/forgot-password/", map[string]any{"email": p.Email}, nil)
	p.asked, p.forgetful = true, true
	v.tell(fact{typ: "password_reset", to: p})
}

package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// A shown page is looked at under its name.
type shown struct {
	name, path string
	status     int64
}

// panelPages lists every page behind the sign-in, with and without anything on it, and an act of each kind.
func (s *stage) panelPages(t *testing.T) []shown {
	t.Helper()
	done, err := story.MainJob(within(t), story.At(s.URL))
	require.NoError(t, err)
	event := s.deadEvent(t, done.Owner)
	s.exec(t, `INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
		VALUES ($1, 'document_file', 'application/pdf', 90210, 0, 'uploads/pictured', now() + interval '10 minutes')`, done.Owner.ID)
	delivery := s.value(t, `INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, attempts, expires_at, last_error)
		VALUES ($1::uuid, $2, 'email', 'security', '{}', 'dead', 12, now() + interval '1 day', 'mail server answered 550') RETURNING id::text`, event, done.Owner.ID)
	support := s.value(t, `INSERT INTO admin_account (email, role, password_hash, totp_secret, enrolled_at)
		VALUES (gen_random_uuid() || '@example.com', 'support', 'none', '\x00', now()) RETURNING id::text`)
	person := fmt.Sprintf("/people/%d/", done.Owner.ID)
	return []shown{
		{"overview", "/", 200},
		{"people", "/people/", 200},
		{"people-none", "/people/?q=nobody+of+that+name", 200},
		{"person", person, 200},
		{"person-disable", person + "disable/", 200},
		{"person-change-role", person + "change-role/", 200},
		{"person-delete", person + "delete/", 200},
		{"person-done", person + "?done=send-reset", 200},
		{"homes", "/homes/", 200},
		{"homes-none", "/homes/?q=no+home+of+that+name", 200},
		{"homes-of-person", fmt.Sprintf("/homes/?people=%d", done.Owner.ID), 200},
		{"home", fmt.Sprintf("/homes/%d/", done.Residence), 200},
		{"tasks", "/tasks/", 200},
		{"tasks-none", "/tasks/?q=no+task+of+that+name", 200},
		{"task", fmt.Sprintf("/tasks/%d/", done.Task), 200},
		{"uploads", "/uploads/", 200},
		{"uploads-none", "/uploads/?state=given_up", 200},
		{"deliveries", "/deliveries/", 200},
		{"deliveries-none", "/deliveries/?people=999999999", 200},
		{"delivery", "/deliveries/" + delivery + "/", 200},
		{"delivery-retry", "/deliveries/" + delivery + "/retry/", 200},
		{"events", "/events/", 200},
		{"events-none", "/events/?state=pending", 200},
		{"event", "/events/" + event + "-notifications/", 200},
		{"event-replay", "/events/" + event + "-notifications/replay/", 200},
		{"schedules", "/schedules/", 200},
		{"schedule", "/schedules/outbox/", 200},
		{"schedule-run", "/schedules/outbox/run/", 200},
		{"audit", "/audit/", 200},
		{"audit-none", "/audit/?people=999999999", 200},
		{"operators", "/operators/", 200},
		{"operators-none", "/operators/?q=nobody", 200},
		{"operator", "/operators/" + support + "/", 200},
		{"operator-change-role", "/operators/" + support + "/change-role/", 200},
		{"missing", "/no/such/page/", 404},
		{"wrong-state", "/tasks/?state=wrong", 422},
	}
}

// TestPanel looks at every page, and reads it without scripts as well.
func TestPanel(t *testing.T) {
	t.Parallel()
	b, _ := signedIn(t, "admin")
	pages := b.panelPages(t)
	const tabs = 2
	for first := range tabs {
		t.Run(fmt.Sprintf("from %d", first), func(t *testing.T) {
			t.Parallel()
			tab, plain := b.another(t), b.another(t)
			tab.expects(404, 422)
			plain.expects(404, 422)
			plain.withoutScripts()
			var faults []string
			for i := first; i < len(pages); i += tabs {
				p := pages[i]
				require.Equal(t, p.status, tab.open(b.panel+p.path), p.name)
				faults = append(faults, tab.look("panel-"+p.name)...)
				require.Equal(t, p.status, plain.open(b.panel+p.path), p.name)
				require.Equal(t, ask[string](tab, outline), ask[string](plain, outline), "%s without scripts", p.name)
			}
			require.Empty(t, faults)
		})
	}
}

// outline is what a page says but for what moves meanwhile: figures, and rows of lists that other tests add to.
const outline = `(() => {
	const main = document.querySelector('main').cloneNode(true);
	main.querySelectorAll('.tiles, .charts, .scroll, .empty, .pages, time, dd').forEach(e => e.remove());
	return main.textContent.replace(/\s+/g, ' ');
})()`

// TestPanelAlone looks at the pages of those who are not signed in.
func TestPanelAlone(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	require.EqualValues(t, 200, b.open(b.panel+"/sign-in/"))
	faults := b.look("panel-sign-in")
	b.expects(401, 404)
	b.proves(&operator{Email: "nobody@example.com", Password: "seven quiet herons"}, "000000")
	b.sees("is not right")
	faults = append(faults, b.look("panel-sign-in-wrong")...)
	require.EqualValues(t, 404, b.open(b.panel+"/enrol/?token=used"))
	faults = append(faults, b.look("panel-enrol-used")...)
	require.EqualValues(t, 200, b.open(b.invite(t, "thea@example.com", "support")))
	faults = append(faults, b.look("panel-enrol")...)
	b.enrol("support")
	faults = append(faults, b.look("panel-recovery-codes")...)
	require.Empty(t, faults)
}

// TestPanelRefused looks at what support sees in the place of an act.
func TestPanelRefused(t *testing.T) {
	t.Parallel()
	b, _ := signedIn(t, "support")
	ann := b.person(t, "Ann")
	b.expects(403)
	require.EqualValues(t, 403, b.open(fmt.Sprintf("%s/people/%d/disable/", b.panel, ann.ID)))
	faults := b.look("panel-refused")
	require.EqualValues(t, 200, b.open(fmt.Sprintf("%s/people/%d/", b.panel, ann.ID)))
	require.Empty(t, append(faults, b.look("panel-person-of-support")...))
}

// look takes the page's picture on both screens, light and dark, and returns what is wrong with it there.
func (b *tab) look(name string) (faults []string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, width := range []int64{1280, 390} {
			if fault := b.overflow(width); fault != "" {
				faults = append(faults, name+": "+fault)
			}
			b.until("document.fonts.status === 'loaded'")
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			require.NoError(b.t, err)
			file := filepath.Join(pictures, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
			require.NoError(b.t, os.WriteFile(file, picture, 0o644))
			// What a width changes is the order of things, what a scheme changes is colour: each is judged once.
			if (width == 390) == (scheme == "dark") {
				for _, fault := range b.barriers() {
					faults = append(faults, fmt.Sprintf("%s at %d, %s: %s", name, width, scheme, fault))
				}
			}
		}
	}
	for _, complaint := range b.complaints() {
		faults = append(faults, name+": "+complaint)
	}
	return faults
}

// overflow takes the page to a width and returns what scrolls out of it sideways, if anything does.
func (b *tab) overflow(width int64) string {
	b.t.Helper()
	b.resize(width)
	if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > width {
		return fmt.Sprintf("is %d wide on a screen of %d", wide, width)
	}
	return ""
}

// barriers returns the rules of accessibility that the page breaks.
func (b *tab) barriers() []string {
	b.t.Helper()
	if !ask[bool](b, "'axe' in window") {
		ask[chromedp.Void](b, b.axe)
	}
	var found []struct {
		ID    string
		Help  string
		Nodes []struct {
			HTML           string
			FailureSummary string
		}
	}
	told := ask[string](b, `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(r => JSON.stringify(r.violations))`)
	require.NoError(b.t, json.Unmarshal([]byte(told), &found))
	var broken []string
	for _, f := range found {
		broken = append(broken, fmt.Sprintf("%s: %s: %d times, such as %s: %s", f.ID, f.Help, len(f.Nodes), f.Nodes[0].HTML, f.Nodes[0].FailureSummary))
	}
	return broken
}

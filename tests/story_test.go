package tests

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/tests/story"
)

// mailTo waits for the mail to an address whose subject has those words.
func mailTo(t *testing.T, ctx context.Context, s *local.System, address, words string) mailbox.Message { //nolint:revive // t goes first in tests
	t.Helper()
	mail, err := s.Mailbox().Wait(ctx, func(m mailbox.Message) bool {
		return slices.Contains(m.To, address) && strings.Contains(strings.ToLower(m.Subject+m.Text), strings.ToLower(words))
	})
	require.NoError(t, err, "mail to a person about %s", words)
	return mail
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// codeIn returns the six digits of a mail.
func codeIn(t *testing.T, mail mailbox.Message) string {
	t.Helper()
	code := sixDigits.FindString(mail.Text)
	require.NotEmpty(t, code)
	require.Contains(t, mail.HTML, code)
	return code
}

// TestMainJob is what the product is for: two people, one home, one task, one mail.
func TestMainJob(t *testing.T) {
	t.Parallel()
	s := system(t)
	ctx := within(t, time.Minute)
	done, err := story.Meet(ctx, story.At(s.URL))
	require.NoError(t, err)
	for _, person := range []*story.Person{done.Owner, done.Member} {
		require.NoError(t, person.Verify(ctx, codeIn(t, mailTo(t, ctx, s, person.Email, "confirm your email"))))
		var me struct {
			EmailVerified bool `json:"email_verified"`
		}
		require.NoError(t, person.Read(ctx, "/api/auth/me/", &me))
		require.True(t, me.EmailVerified)
	}
	require.NoError(t, done.Live(ctx))
	joined := mailTo(t, ctx, s, done.Owner.Email, "joined")
	require.Contains(t, joined.Text, "Max")
	assigned := mailTo(t, ctx, s, done.Member.Email, "assigned")
	require.Contains(t, assigned.Text, done.Title)
	completed := mailTo(t, ctx, s, done.Owner.Email, "completed")
	require.Contains(t, completed.Text, done.Title)
	require.Contains(t, completed.HTML, done.Title)
	require.NotEmpty(t, completed.Headers["Message-Id"])

	for _, person := range []*story.Person{done.Owner, done.Member} {
		var board story.Board
		require.NoError(t, person.Read(ctx, "/api/tasks/", &board))
		require.Equal(t, "upcoming_tasks", board.Column(done.Task), "next due a quarter later")
	}
}

// TestUpkeep is what people do with a home over the years.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	s := system(t)
	require.NoError(t, story.Upkeep(within(t, time.Minute), story.At(s.URL)))
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	s := system(t)
	ctx := within(t, time.Minute)
	p, err := story.Register(ctx, story.NewPhone(s.URL), "Rosa")
	require.NoError(t, err)
	answer, err := story.NewPhone(s.URL).Call(ctx, http.MethodPost, "/api/auth/forgot-password/", map[string]any{"email": p.Email}, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, answer.Status)
	mail := mailTo(t, ctx, s, p.Email, "reset")
	answer, err = story.NewPhone(s.URL).Call(ctx, http.MethodPost, "/api/auth/reset-password/", map[string]any{
		"email": p.Email, "code": codeIn(t, mail), "new_password": "another-ladder-november",
	}, "")
	require.NoError(t, err)
	require.NoError(t, answer.Decode(http.StatusNoContent, nil))
	mailTo(t, ctx, s, p.Email, "password was changed")
	answer, err = p.Call(ctx, http.MethodGet, "/api/auth/me/", nil, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, answer.Status, "a reset ends every session")
}

func TestNothingInsideIsPublic(t *testing.T) {
	t.Parallel()
	s := system(t)
	phone := story.NewPhone(s.URL)
	for _, path := range []string{"/notifications/", "/sweeper/", "/media/", "/uploads/", "/honeydue/default", "/api/", "/api/events/", "/healthz", "/api/taskss/"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			answer, err := phone.Call(t.Context(), method, path, nil, "")
			require.NoError(t, err)
			require.Equal(t, http.StatusNotFound, answer.Status, path)
			require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"), path)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := system(t)
	var health map[string]string
	require.NoError(t, story.NewPhone(s.URL).Read(within(t, time.Minute), "/api/health/", &health))
	require.Equal(t, map[string]string{"status": "ok", "database": "ok", "cache": "ok"}, health)
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/timing"
)

type unsubscribeInput struct {
	Token  string `query:"token" required:"true" minLength:"1" maxLength:"200" doc:"That of the mail's link, which says whose mails and of which type" example:"7.task_overdue.q83vEjRWeJASNFZ4mrzeCQ"`
	Accept string `header:"Accept" hidden:"true"`
}

const muteType = `UPDATE auth_user u SET muted = ` + mutedAfter + `, updated_at = now() WHERE u.id = $1`

// unsubscribe follows RFC 8058: a mail program posts to the link on a person's one click. It tells nothing of whether the account is
// still there: without it there are no mails either.
func (s *service) unsubscribe(ctx context.Context, in *unsubscribeInput) (*unsubscribeOutput, error) {
	timing.Withhold(ctx)
	person, typ, ok := s.subscription(in.Token)
	if !ok {
		return in.refuse()
	}
	if _, err := s.DB.Exec(ctx, muteType, person, []string{notice.Mute(typ, notice.Email)}, []string{}); err != nil {
		return nil, fmt.Errorf("unsubscribe: %w", err)
	}
	if !in.wantsPage() {
		return &unsubscribeOutput{Status: http.StatusNoContent}, nil
	}
	return showPage(http.StatusOK, unsubscribePage{Type: typ, Done: true})
}

// showUnsubscribe shows the page with the button. Programs that look through mails open links: that alone changes nothing.
func (s *service) showUnsubscribe(_ context.Context, in *unsubscribeInput) (*unsubscribeOutput, error) {
	_, typ, ok := s.subscription(in.Token)
	if !ok {
		return in.refuse()
	}
	return showPage(http.StatusOK, unsubscribePage{Type: typ})
}

// subscription reads whose mails of which type a token ends. Those that are always sent have none.
func (s *service) subscription(token string) (person int64, typ string, ok bool) {
	person, typ, ok = s.codes.ReadUnsubscribe(token)
	return person, typ, ok && notice.IsSwitchable(typ)
}

// wantsPage is true for browsers, which accept HTML by name; mail programs that post take anything.
func (in *unsubscribeInput) wantsPage() bool { return strings.Contains(in.Accept, "text/html") }

func (in *unsubscribeInput) refuse() (*unsubscribeOutput, error) {
	if !in.wantsPage() {
		return nil, problem.NotFound()
	}
	return showPage(http.StatusNotFound, unsubscribePage{})
}

package story

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/shared/devserver/push"
)

// Prove waits for the mail with the code and proves the person's address with it.
func (p *Person) Prove(ctx context.Context, mails *mailbox.Mailbox) error {
	mail, err := mails.Wait(ctx, func(m mailbox.Message) bool {
		return slices.Contains(m.To, p.Email) && strings.HasPrefix(m.Subject, "Confirm your email")
	})
	if err != nil {
		return err
	}
	code := regexp.MustCompile(`\b[0-9]{6}\b`).FindString(mail.Text)
	return p.Verify(ctx, code)
}

// OneClick ends the mails of a mail's type, as a mail program does (RFC 8058): without signing in, at the address that the mail says.
func (p *Person) OneClick(ctx context.Context, mail mailbox.Message) error {
	const form = "List-Unsubscribe=One-Click"
	if mail.Headers["List-Unsubscribe-Post"] != form {
		return errors.New("the mail offers no one-click unsubscribing")
	}
	link, err := url.Parse(strings.Trim(mail.Headers["List-Unsubscribe"], "<>"))
	if err != nil || link.Path == "" {
		return errors.New("the mail's link to unsubscribe is none")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+link.RequestURI(), strings.NewReader(form))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", p.Address)
	answer, err := do(p.Client, req)
	if err != nil {
		return fmt.Errorf("post to the mail's link: %w", err)
	}
	return answer.Decode(http.StatusNoContent, nil)
}

// mail waits for the listener's mail whose subject begins like that.
func (l *listener) mail(ctx context.Context, subject string) (mailbox.Message, error) {
	m, err := l.Mail.Wait(ctx, func(m mailbox.Message) bool { return l.isMail(m, subject) })
	if err != nil {
		return m, fmt.Errorf("%s: %w", subject, err)
	}
	return m, nil
}

func (l *listener) isMail(m mailbox.Message, subject string) bool {
	return slices.Contains(m.To, l.who.Email) && strings.HasPrefix(m.Subject, subject)
}

// push waits for the push of that title on the listener's phone.
func (l *listener) push(ctx context.Context, title string) (push.Push, error) {
	p, err := l.Push.Wait(ctx, func(p push.Push) bool { return l.isPush(p, title) })
	if err != nil {
		return p, fmt.Errorf("%s: %w", title, err)
	}
	return p, nil
}

func (l *listener) isPush(p push.Push, title string) bool {
	return p.DeviceToken == l.device && p.Title == title
}

func (l *listener) mails(subject string) (n int) {
	for _, m := range l.Mail.Messages() {
		if l.isMail(m, subject) {
			n++
		}
	}
	return n
}

func (l *listener) pushes(title string) (n int) {
	for _, p := range l.Push.Pushes() {
		if l.isPush(p, title) {
			n++
		}
	}
	return n
}

// await looks until something is so.
func (l *listener) await(ctx context.Context, what string, so func() bool) error {
	const pause = 50 * time.Millisecond
	for !so() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-time.After(pause):
		}
	}
	return nil
}

// An inbox is the app's own list.
type inbox struct {
	Results []struct {
		ID     int64
		Type   string
		Title  string
		ReadAt *time.Time `json:"read_at"`
	}
	UnreadCount int `json:"unread_count"`
}

// list reads it; so much of it must be unread.
func (l *listener) list(ctx context.Context, unread int) (found inbox, err error) {
	if err := l.who.Read(ctx, "/api/notifications/", &found); err != nil {
		return found, err
	}
	if found.UnreadCount != unread {
		err = fmt.Errorf("%d are unread and not %d of %+v", found.UnreadCount, unread, found.Results)
	}
	return found, err
}

func (l *listener) read(ctx context.Context, which string) error {
	return l.who.must(ctx, http.MethodPost, "/api/notifications/"+which, nil, http.StatusNoContent, nil)
}

// readList finds in it what was told so far, and marks the newest of it as read, and then all.
func (l *listener) readList(ctx context.Context) error {
	list, err := l.list(ctx, 2)
	if err != nil {
		return err
	}
	if len(list.Results) != 2 || list.Results[0].Title != "For you: "+l.title || list.Results[1].Title != "New at Lake house" {
		return fmt.Errorf("the list holds %+v", list.Results)
	}
	if err := l.read(ctx, fmt.Sprintf("%d/read/", list.Results[0].ID)); err != nil {
		return err
	}
	if list, err = l.list(ctx, 1); err != nil {
		return err
	}
	if list.Results[0].ReadAt == nil || list.Results[1].ReadAt != nil {
		return fmt.Errorf("another one was read: %+v", list.Results)
	}
	if err := l.read(ctx, "read-all/"); err != nil {
		return err
	}
	_, err = l.list(ctx, 0)
	return err
}

// once returns an error unless everything was told once, and nothing of what was switched off.
func (l *listener) once(ctx context.Context, reminded string) error {
	for _, want := range []struct {
		what       string
		found, are int
	}{
		{"pushes about who joined", l.pushes("New at Lake house"), 0},
		{"mails about what is done", l.mails("Done: "), 1},
		{"mails about what is due", l.mails("Due today: " + reminded), 1},
		{"pushes about what is due", l.pushes(reminded), 1},
	} {
		if want.found != want.are {
			return fmt.Errorf("%s: %d, not %d", want.what, want.found, want.are)
		}
	}
	var list inbox
	if err := l.who.Read(ctx, "/api/notifications/?unread=true", &list); err != nil {
		return err
	}
	types := make([]string, len(list.Results))
	for i, told := range list.Results {
		types[i] = told.Type
	}
	if want := []string{"task_completed", "task_due_soon", "task_assigned", "task_completed", "task_completed"}; !slices.Equal(types, want) {
		return fmt.Errorf("the list holds %v, not %v", types, want)
	}
	return nil
}

package story

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/honeydue/backend/knative/local/mailbox"
)

// An Office is what the story of an operator needs beside the API.
type Office struct {
	Phone func() *Phone
	Panel *Phone // calls the panel's own host
	Mail  *mailbox.Mailbox
	// Invite returns the link that `make admin` prints.
	Invite func(ctx context.Context, email, role string) (string, error)
}

// An Operator is somebody who has set up their account.
type Operator struct {
	*Phone // with a token of the operators' API

	Email, Password, Secret string
	Recovery                []string
}

// Enrol follows an operator's link: a password, an authenticator, recovery codes.
func Enrol(ctx context.Context, o Office, role string) (*Operator, error) {
	op := &Operator{Phone: o.Phone(), Email: "olga." + strings.ToLower(rand.Text()) + "@example.com", Password: rand.Text()}
	link, err := o.Invite(ctx, op.Email, role)
	if err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	at, err := url.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	page, err := o.Panel.Call(ctx, http.MethodGet, at.RequestURI(), nil, "")
	if err != nil {
		return nil, err
	}
	found := regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).FindSubmatch(page.Body)
	if found == nil {
		return nil, fmt.Errorf("the link's page has no secret: %d %s", page.Status, page.Body)
	}
	op.Secret = string(found[1])
	code, err := op.Code(0)
	if err != nil {
		return nil, err
	}
	done, err := o.Panel.Post(ctx, "/enrol/", url.Values{"token": {at.Query().Get("token")}, "password": {op.Password}, "code": {code}})
	if err != nil {
		return nil, err
	}
	for _, code := range regexp.MustCompile(`<code>([a-z2-7-]{19})</code>`).FindAllSubmatch(done.Body, -1) {
		op.Recovery = append(op.Recovery, string(code[1]))
	}
	if len(op.Recovery) == 0 {
		return nil, fmt.Errorf("no recovery codes: %d %s", done.Status, done.Body)
	}
	return op, nil
}

// Code is what the operator's authenticator shows, so many steps of 30 seconds from now.
func (o *Operator) Code(steps int) (string, error) {
	code, err := totp.GenerateCode(o.Secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		return "", fmt.Errorf("authenticator: %w", err)
	}
	return code, nil
}

// Post sends a form.
func (p *Phone) Post(ctx context.Context, path string, form url.Values) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", p.Address)
	return do(p.Client, req)
}

// Operate has an operator come by the command's link, and act for the app's people: each act has its effect where the people are, and a
// line in the log. It returns an error about the first thing that is not as it should be.
func Operate(ctx context.Context, o Office) error {
	op, err := Enrol(ctx, o, "admin")
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	code, err := op.Code(1) // each works once
	if err != nil {
		return err
	}
	var in struct{ Token string }
	if err := op.Create(ctx, "/api/admin/login/", http.StatusOK, map[string]any{"email": op.Email, "password": op.Password, "code": code}, &in); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	op.Token = in.Token
	ann, err := Register(ctx, o.Phone(), "Ann")
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context, o Office, op *Operator, ann *Person) error
	}{
		{"disable and enable", standing},
		{"send a reset", reset},
		{"run a schedule", schedule},
		{"delete", remove},
	} {
		if err := step.do(ctx, o, op, ann); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// act does something to the person and looks for its line in the log.
func (o *Operator) act(ctx context.Context, name, subject string) error {
	var done struct{ Act, Subject string }
	if err := o.Create(ctx, "/api/admin/"+subject+"/"+name+"/", http.StatusOK, nil, &done); err != nil {
		return err
	}
	var log struct {
		Results []json.RawMessage
	}
	if err := o.Read(ctx, "/api/admin/audit/", &log); err != nil {
		return err
	}
	for _, line := range log.Results {
		if strings.Contains(string(line), `"`+name+`"`) && strings.Contains(string(line), `"`+subject+`"`) {
			return nil
		}
	}
	return fmt.Errorf("the log has no line of %s on %s", name, subject)
}

// expect asks for a path as the person until it is answered by that status: what others decided may be on its way.
func (p *Person) expect(ctx context.Context, path string, status int) error {
	for {
		answer, err := p.Call(ctx, http.MethodGet, path, nil, "")
		if err != nil {
			return err
		}
		if answer.Status == status {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: still answered %d, not %d", path, answer.Status, status)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func standing(ctx context.Context, _ Office, op *Operator, ann *Person) error {
	if err := ann.Read(ctx, "/api/tasks/", nil); err != nil {
		return err
	}
	subject := fmt.Sprintf("people/%d", ann.ID)
	if err := op.act(ctx, "disable", subject); err != nil {
		return err
	}
	answer, err := ann.Call(ctx, http.MethodGet, "/api/tasks/", nil, "")
	if err != nil || answer.Status != http.StatusUnauthorized {
		return fmt.Errorf("a phone of a disabled account is answered %d, %w", answer.Status, err)
	}
	if answer, err = ann.Call(ctx, http.MethodPost, "/api/auth/login/", map[string]any{"email": ann.Email, "password": Password}, ""); err != nil || answer.Status != http.StatusForbidden {
		return fmt.Errorf("signing in to a disabled account is answered %d, %w", answer.Status, err)
	}
	if err := op.act(ctx, "enable", subject); err != nil {
		return err
	}
	return ann.SignIn(ctx)
}

func reset(ctx context.Context, o Office, op *Operator, ann *Person) error {
	if err := op.act(ctx, "send-reset", fmt.Sprintf("people/%d", ann.ID)); err != nil {
		return err
	}
	_, err := o.Mail.Wait(ctx, func(m mailbox.Message) bool {
		return m.To[0] == ann.Email && strings.Contains(strings.ToLower(m.Subject), "password")
	})
	if err != nil {
		return fmt.Errorf("no mail: %w", err)
	}
	return nil
}

func schedule(ctx context.Context, _ Office, op *Operator, _ *Person) error {
	var before, after struct {
		Runs []time.Time
	}
	if err := op.Read(ctx, "/api/admin/schedules/outbox/", &before); err != nil {
		return err
	}
	if err := op.act(ctx, "run", "schedules/outbox"); err != nil {
		return err
	}
	for len(after.Runs) == 0 || len(before.Runs) > 0 && !after.Runs[0].After(before.Runs[0]) {
		if err := op.Read(ctx, "/api/admin/schedules/outbox/", &after); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no run is noted: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func remove(ctx context.Context, _ Office, op *Operator, ann *Person) error {
	subject := fmt.Sprintf("people/%d", ann.ID)
	if err := op.act(ctx, "delete", subject); err != nil {
		return err
	}
	if err := ann.expect(ctx, "/api/tasks/", http.StatusUnauthorized); err != nil {
		return err
	}
	gone := &Person{Phone: op.Phone}
	return gone.expect(ctx, "/api/admin/"+subject+"/", http.StatusNotFound)
}

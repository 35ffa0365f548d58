package main

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/honeydue/backend/shared/code"
)

// A sender is who mails come from, such as honeyDue <hello@myhoneydue.com>.
type sender struct{ netmail.Address }

// Decode reads an address with or without a name.
func (s *sender) Decode(text string) error {
	address, err := netmail.ParseAddress(text)
	if err != nil {
		return errors.New("not a mail address")
	}
	s.Address = *address
	return nil
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// A composer writes mails.
type composer struct {
	from      sender
	link      string // where honeyDue is, without a slash at its end
	key       code.Key
	templates templates
}

func newComposer(cfg config) (*composer, error) {
	link, err := url.Parse(cfg.PublicURL)
	if err != nil || link.Host == "" {
		return nil, errors.New("PUBLIC_URL is not an absolute address")
	}
	templates, err := openTemplates()
	if err != nil {
		return nil, err
	}
	return &composer{from: cfg.Mail.From, link: strings.TrimRight(cfg.PublicURL, "/"), key: cfg.CodeKey, templates: templates}, nil
}

// compose writes the mail of m. Its Message-ID is always the same, so that a mail program shows only one of two.
func (c *composer) compose(m message) (*mail.Msg, error) {
	written, err := c.templates.write(kindOf(m), c.viewOf(m))
	if err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&c.from.Address)
	if err := msg.To(m.Address); err != nil {
		return nil, &failure{text: "the recipient's address is not one that mail can be sent to", permanent: true}
	}
	msg.Subject(written.subject)
	msg.SetDateWithValue(m.At)
	msg.SetMessageIDWithValue(fmt.Sprintf("message.%d.%s@%s", m.ID, m.EventID, domainOf(c.from.Address.Address)))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Honeydue-Message", strconv.FormatInt(m.ID, 10))
	msg.SetBodyString(mail.TypeTextPlain, written.text)
	msg.AddAlternativeString(mail.TypeTextHTML, written.html)
	return msg, nil
}

// kindOf returns the name of m's templates.
func kindOf(m message) string {
	switch {
	case m.Purpose == "change_email":
		return "change_email"
	case m.Type == typeSecurity && m.NewsOfOld:
		return "email_changed"
	case m.Type == typeSecurity:
		return "password_changed"
	default:
		return m.Type
	}
}

// A view is what templates may say. Whatever a person typed has been made fit for a line.
type view struct {
	Link    string
	Code    string
	Minutes int
	Actor   string
	Home    string
	Task    string
	Due     string // Friday, 14 November 2025; empty without a date
	Done    string // the same
	Notes   string
	When    string // 14 November 2025 at 14:05 CET
}

// A mail with a code goes to an address that nobody has proved to be theirs. So that no stranger can have
// honeyDue carry words to it, nothing that people typed is in such a mail: its view has no names.
func (c *composer) viewOf(m message) view {
	v := view{Link: c.link, When: instant(m.FactAt, m.Zone)}
	if m.Purpose != "" {
		v.Code, v.Minutes = c.key.Derive(m.Purpose, m.UserID, m.CodeID, m.Nonce), code.Minutes
		return v
	}
	v.Actor, v.Home, v.Task = line(m.Actor, "A member"), line(m.Home, "your home"), line(m.Task, "a task")
	v.Due, v.Done, v.Notes = day(m.DueOn), day(m.DoneOn), paragraph(m.Notes)
	return v
}

package main

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/notice"
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
	api       string // where its calls are, the same way
	keys      code.Keys
	now       func() time.Time
	templates templates
}

func newComposer(cfg config) (*composer, error) {
	link, err := absolute("PUBLIC_URL", cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	api, err := absolute("API_URL", cfg.APIURL)
	if err != nil {
		return nil, err
	}
	return &composer{from: cfg.Mail.From, link: link, api: api, keys: cfg.CodeKeys, now: time.Now, templates: openTemplates()}, nil
}

// absolute returns the address of a setting without a slash at its end.
func absolute(setting, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", errors.New(setting + " is not an absolute address")
	}
	return strings.TrimRight(address, "/"), nil
}

// compose writes the mail of m. Its Message-ID is always the same, so that a mail program shows only one of two.
func (c *composer) compose(m message) (*mail.Msg, error) {
	v := c.viewOf(m)
	written, err := c.templates.write(kindOf(m, today(c.now(), m.Zone)), v)
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
	msg.SetMessageIDWithValue(c.messageID(m))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Honeydue-Message", strconv.FormatInt(m.ID, 10))
	if v.Stop != "" {
		msg.SetGenHeader(mail.HeaderListUnsubscribe, "<"+v.Stop+">")
		msg.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(mail.TypeTextPlain, written.text)
	msg.AddAlternativeString(mail.TypeTextHTML, written.html)
	return msg, nil
}

// messageID is the same for each attempt at m, and for no other message of any database that an event was in.
func (c *composer) messageID(m message) string {
	id := "message." + strconv.FormatInt(m.ID, 10)
	if m.EventID != nil {
		id += "." + m.EventID.String()
	}
	return id + "@" + domainOf(c.from.Address.Address)
}

// stop returns the address that ends the mails of m's type to its person, without signing in; none when nobody may switch
// them off. It is what a mail program posts to (RFC 8058), and shows a page to who follows it.
func (c *composer) stop(m message) string {
	if !notice.IsSwitchable(m.Type) {
		return ""
	}
	return c.api + "/api/notifications/unsubscribe/?token=" + url.QueryEscape(c.keys.Unsubscribe(m.UserID, m.Type))
}

// kindOf returns the name of m's templates for somebody whose date is today.
func kindOf(m message, today date.Date) string {
	switch {
	case m.Type == typeDueSoon && m.DueOn != nil && *m.DueOn < today:
		return typeOverdue // it can be late by a day
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

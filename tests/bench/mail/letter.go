package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// A letter is what every mail of a queue says, which is what ours said, and the mail server that takes it. A job holds all of it.
type letter struct {
	Server             string // host and port
	From, Subject      string
	Text, HTML         string
	UnsubscribeHeaders map[string]string
}

// copyLetter takes a mail of ours apart.
func copyLetter(content []byte, server string) (*letter, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	l := &letter{Server: server, From: message.Header.Get("From"), UnsubscribeHeaders: map[string]string{}}
	for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post"} {
		if value := message.Header.Get(name); value != "" {
			l.UnsubscribeHeaders[name] = value
		}
	}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return nil, fmt.Errorf("read subject: %w", err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("read type of mail: %w", err)
	}
	for parts := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read part: %w", err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("read part: %w", err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.HTML = string(body)
		} else {
			l.Text = string(body)
		}
	}
}

// send writes the letter to an address and hands it in, in a conversation of its own.
func (l *letter) send(ctx context.Context, to string) error {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(m.From(l.From), m.To(to)); err != nil {
		return fmt.Errorf("address mail: %w", err)
	}
	m.Subject(l.Subject)
	m.SetDate()
	m.SetMessageID()
	for name, value := range l.UnsubscribeHeaders {
		m.SetGenHeaderPreformatted(mail.Header(name), value)
	}
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	host, service, err := net.SplitHostPort(l.Server)
	if err != nil {
		return fmt.Errorf("read address of mail server: %w", err)
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		return fmt.Errorf("read port of mail server: %w", err)
	}
	client, err := mail.NewClient(host, mail.WithPort(port), mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO("example.com"),
		mail.WithoutNoop(), mail.WithoutRset())
	if err != nil {
		return fmt.Errorf("open mail server: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, m); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	return nil
}

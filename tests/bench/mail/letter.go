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

// write writes the letter to an address.
func (l *letter) write(to string) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(m.From(l.From), m.To(to)); err != nil {
		return nil, fmt.Errorf("address mail: %w", err)
	}
	m.Subject(l.Subject)
	m.SetDate()
	m.SetMessageID()
	for name, value := range l.UnsubscribeHeaders {
		m.SetGenHeaderPreformatted(mail.Header(name), value)
	}
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return m, nil
}

// A desk is where a worker hands letters in. It keeps connections to the mail server, as ours does.
type desk struct{ kept chan *mail.Client }

func newDesk() *desk { return &desk{make(chan *mail.Client, atOnce)} }

// send writes a letter to an address and hands it in.
func (d *desk) send(ctx context.Context, l *letter, to string) error {
	m, err := l.write(to)
	if err != nil {
		return err
	}
	var client *mail.Client
	select {
	case client = <-d.kept:
	default:
		if client, err = l.connect(ctx); err != nil {
			return err
		}
	}
	if err := client.Send(m); err != nil {
		return errors.Join(fmt.Errorf("send mail: %w", err), client.Close())
	}
	select {
	case d.kept <- client:
		return nil
	default:
		return client.Close()
	}
}

// connect opens a connection to the mail server.
func (l *letter) connect(ctx context.Context) (*mail.Client, error) {
	host, service, err := net.SplitHostPort(l.Server)
	if err != nil {
		return nil, fmt.Errorf("read address of mail server: %w", err)
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		return nil, fmt.Errorf("read port of mail server: %w", err)
	}
	client, err := mail.NewClient(host, mail.WithPort(port), mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO("example.com"),
		mail.WithoutNoop(), mail.WithoutRset())
	if err == nil {
		err = client.DialWithContext(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open mail server: %w", err)
	}
	return client, nil
}

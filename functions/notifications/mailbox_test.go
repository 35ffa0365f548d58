package main

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// A mailbox is a mail server that keeps what it gets, and that can be told to misbehave.
type mailbox struct {
	server *smtp.Server

	mu       sync.Mutex
	mails    []received
	greeted  string
	signedIn bool
	// misbehave is asked at each step: hello, mail, rcpt, data (before the message) and dot (after it was kept).
	misbehave func(conn *smtp.Conn, step string) error
}

// received is one mail, taken apart.
type received struct {
	from, to   string
	header     netmail.Header
	subject    string
	text, html string
}

// newMailbox starts a server on a free port; security is nil for one without TLS.
func newMailbox(t *testing.T, security *tls.Config, tlsFirst bool) (*mailbox, string) {
	t.Helper()
	m := &mailbox{}
	m.server = smtp.NewServer(smtp.BackendFunc(m.session))
	m.server.Domain, m.server.TLSConfig = "mail.test", security
	m.server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if tlsFirst {
		listener = tls.NewListener(listener, security)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = m.server.Serve(listener) }()
	// The server closes only a listener that it has begun to serve.
	t.Cleanup(func() { _ = m.server.Close(); _ = listener.Close(); <-done })
	return m, listener.Addr().String()
}

func (m *mailbox) session(conn *smtp.Conn) (smtp.Session, error) {
	m.mu.Lock()
	m.greeted = conn.Hostname()
	m.mu.Unlock()
	s := &session{box: m, conn: conn}
	return s, s.step("hello")
}

func (m *mailbox) set(misbehave func(conn *smtp.Conn, step string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.misbehave = misbehave
}

// refuse answers code at step, in words that hold an address, as servers do.
func (m *mailbox) refuse(at string, code int) {
	m.set(func(_ *smtp.Conn, step string) error {
		if step != at {
			return nil
		}
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "someone@example.com: no"}
	})
}

func (m *mailbox) all() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]received(nil), m.mails...)
}

// one returns the only mail that there may be.
func (m *mailbox) one(t *testing.T) received {
	t.Helper()
	require.Len(t, m.all(), 1)
	return m.all()[0]
}

type session struct {
	box  *mailbox
	conn *smtp.Conn
	from string
	to   []string
}

func (s *session) step(name string) error {
	s.box.mu.Lock()
	misbehave := s.box.misbehave
	s.box.mu.Unlock()
	if misbehave == nil {
		return nil
	}
	return misbehave(s.conn, name)
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return s.step("mail")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return s.step("rcpt")
}

func (s *session) Data(r io.Reader) error {
	if err := s.step("data"); err != nil {
		return err
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	mail, err := take(content)
	if err != nil {
		return err
	}
	mail.from, mail.to = s.from, strings.Join(s.to, ",")
	s.box.mu.Lock()
	s.box.mails = append(s.box.mails, mail)
	s.box.mu.Unlock()
	return s.step("dot")
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "mailer" || password != "p@ss" {
			return smtp.ErrAuthFailed
		}
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		s.box.signedIn = true
		return nil
	}), nil
}

// take reads a mail of two alternative parts.
func take(content []byte) (received, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return received{}, err
	}
	m := received{header: message.Header}
	if m.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return m, err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return m, err
	}
	for parts := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err == io.EOF { //nolint:errorlint // as its documentation says
			return m, nil
		}
		if err != nil {
			return m, err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return m, err
		}
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.html = cmp.Or(m.html, text)
		} else {
			m.text = cmp.Or(m.text, text)
		}
	}
}

// stall keeps the server silent at step until the test ends.
func (m *mailbox) stall(t *testing.T, at string) {
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	m.set(func(_ *smtp.Conn, step string) error {
		if step == at {
			select {
			case <-ended:
			case <-time.After(time.Minute):
			}
		}
		return nil
	})
}

// drop ends the connection at step, without a word.
func (m *mailbox) drop(at string) {
	m.set(func(conn *smtp.Conn, step string) error {
		if step == at {
			return conn.Conn().Close()
		}
		return nil
	})
}

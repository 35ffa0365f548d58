// Package mailbox is an SMTP server that delivers nothing: it keeps what it gets, as files that any mail program
// opens, and shows it.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/honeydue/backend/shared/devserver/ports"
)

const (
	maxMessageBytes = 10 << 20
	ioTimeout       = time.Minute
)

// A Mailbox holds the messages of one folder and takes further ones over SMTP, for any address, without TLS and
// without signing in. Its methods may be called at the same time.
type Mailbox struct {
	dir string
	log *slog.Logger

	mu       sync.Mutex
	messages []Message // oldest first
	changed  chan struct{}
	refuse   func(from string, to []string) error
	accepted func(Message)
	address  string
	server   *smtp.Server
	listener net.Listener
	serving  chan struct{}
}

// Open reads the messages that are in a folder, which it makes when it is missing.
func Open(dir string, log *slog.Logger) (*Mailbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make mail folder: %w", err)
	}
	m := &Mailbox{dir: dir, log: log, changed: make(chan struct{}), address: "127.0.0.1:0"}
	files, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		return nil, fmt.Errorf("list mail folder: %w", err)
	}
	slices.Sort(files) // names begin with the time
	for _, file := range files {
		content, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			return nil, fmt.Errorf("read mail: %w", err)
		}
		m.messages = append(m.messages, parse(strings.TrimSuffix(filepath.Base(file), extension), content))
	}
	return m, nil
}

// ListenOn makes the next Start listen on host:port, where port 0 is a free one.
func (m *Mailbox) ListenOn(address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.address = address
}

// Start begins to listen on a free port of the loopback address, or where ListenOn said, and after a Stop on the
// same one again.
func (m *Mailbox) Start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server != nil {
		return nil
	}
	listener, err := ports.Listen(context.Background(), m.address)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{mailbox: m}, nil }))
	server.Domain = "localhost"
	server.MaxMessageBytes = maxMessageBytes
	server.ReadTimeout, server.WriteTimeout = ioTimeout, ioTimeout
	server.EnableSMTPUTF8 = true
	server.ErrorLog = slog.NewLogLogger(m.log.Handler(), slog.LevelWarn)
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		if err := server.Serve(listener); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			m.log.Error("mail server ended", "error", err)
		}
	}()
	m.address, m.server, m.listener, m.serving = listener.Addr().String(), server, listener, serving
	return nil
}

// Stop ends listening and every conversation under way. What was accepted stays.
func (m *Mailbox) Stop() {
	m.mu.Lock()
	server, listener, serving := m.server, m.listener, m.serving
	m.server = nil
	m.mu.Unlock()
	if server == nil {
		return
	}
	// The server closes only a listener that it has begun to serve. That it is closed already is all that may fail.
	_ = server.Close()
	_ = listener.Close()
	<-serving
}

// URL returns the server's address as smtp://host:port, once it has been started.
func (m *Mailbox) URL() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return "smtp://" + m.address
}

// Messages returns all messages, newest first.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	messages := append([]Message{}, m.messages...)
	slices.Reverse(messages)
	return messages
}

// Wait returns the first message that matches, as soon as there is one.
func (m *Mailbox) Wait(ctx context.Context, match func(Message) bool) (Message, error) {
	for seen := 0; ; {
		m.mu.Lock()
		unseen, changed := m.messages[seen:], m.changed
		seen = len(m.messages)
		m.mu.Unlock()
		if i := slices.IndexFunc(unseen, match); i >= 0 {
			return unseen[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Message{}, fmt.Errorf("wait for mail: %w", ctx.Err())
		}
	}
}

// Refuse makes the server answer 451 to the message of every envelope for which refuse returns an error; nil
// takes everything again.
func (m *Mailbox) Refuse(refuse func(from string, to []string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = refuse
}

// OnAccept has accepted called with each message that is kept, before the sender learns of it: the answer to the
// final dot waits for accepted to return.
func (m *Mailbox) OnAccept(accepted func(Message)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accepted = accepted
}

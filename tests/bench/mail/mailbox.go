package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// A mailbox is a mail server that takes every mail at once and remembers who got one, and when.
type mailbox struct {
	server *smtp.Server
	served chan struct{} // closed when the server has ended
	url    string        // as SMTP_URL says it
	host   string        // and its port

	mu     sync.Mutex
	got    map[string]int       // mails by address
	at     map[string]time.Time // of the address's first mail
	total  int
	latest time.Time
	mail   []byte        // the latest
	news   chan struct{} // closed when there is a further mail
}

// openMailbox starts a mailbox on a free port of this machine.
func openMailbox(ctx context.Context) (*mailbox, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mails: %w", err)
	}
	host := listener.Addr().String()
	m := &mailbox{served: make(chan struct{}), host: host, url: "smtp://" + host + "?tls=none", news: make(chan struct{})}
	m.empty()
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: m}, nil }))
	m.server.Domain, m.server.ErrorLog = "mail.test", log.New(io.Discard, "", 0)
	go func() {
		defer close(m.served)
		_ = m.server.Serve(listener)
	}()
	return m, nil
}

func (m *mailbox) close() error {
	err := m.server.Close()
	<-m.served
	return err
}

// empty forgets all mails.
func (m *mailbox) empty() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got, m.at, m.total = map[string]int{}, map[string]time.Time{}, 0
}

func (m *mailbox) keep(to []string, mail []byte, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, address := range to {
		if m.got[address]++; m.got[address] == 1 {
			m.at[address] = at
		}
	}
	m.total++
	m.latest, m.mail = at, mail
	close(m.news)
	m.news = make(chan struct{})
}

// lastMail returns the latest mail, as it came.
func (m *mailbox) lastMail() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mail
}

// await returns when the address's first mail came, which it waits for as long as ctx lasts.
func (m *mailbox) await(ctx context.Context, address string) (time.Time, error) {
	for {
		m.mu.Lock()
		at, ok := m.at[address]
		news := m.news
		m.mu.Unlock()
		if ok {
			return at, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return at, errors.New("a mail did not come")
		}
	}
}

// awaitAll waits until so many addresses have got a mail, or nobody has for the time of silence while busy said no.
func (m *mailbox) awaitAll(ctx context.Context, addresses int, silence time.Duration, busy func() bool) {
	for {
		m.mu.Lock()
		all, news := len(m.got) >= addresses, m.news
		m.mu.Unlock()
		if all {
			return
		}
		select {
		case <-news:
		case <-time.After(silence):
			if !busy() {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// A tally is what came of mails that were asked for.
type tally struct {
	mails   int
	lost    int // addresses without a mail
	doubled int // mails that an address got before
	latest  time.Time
}

// count compares what came with so many addresses, each of which is to get one mail.
func (m *mailbox) count(addresses int) tally {
	m.mu.Lock()
	defer m.mu.Unlock()
	return tally{m.total, addresses - len(m.got), m.total - len(m.got), m.latest}
}

// A session is one conversation with a sender.
type session struct {
	box *mailbox
	to  []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data takes a mail, which is there when its final dot is.
func (s *session) Data(r io.Reader) error {
	mail, err := io.ReadAll(r)
	at := time.Now()
	if err != nil {
		return fmt.Errorf("read mail: %w", err)
	}
	s.box.keep(s.to, mail, at)
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }

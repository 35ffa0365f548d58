package main

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A trickster is a mail server that does once what it should not, at one phase of a conversation, and behaves otherwise.
type trickster struct {
	address  string
	listener *net.TCPListener
	security *tls.Config // nil: it does not offer STARTTLS
	ends     context.Context
	running  sync.WaitGroup

	mu          sync.Mutex
	trick       trick
	connections int
	commands    []string // of all connections
	mails       []received
}

// A trick is what happens when a conversation comes to a phase.
type trick struct {
	at    phase
	does  string // stalls, resets, or an answer such as 550 5.1.1
	times int    // how often; once when 0
}

const (
	stalls = "stalls"
	resets = "resets"
)

func newTrickster(t *testing.T, security *tls.Config, does trick) *trickster {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	s := &trickster{address: listener.Addr().String(), listener: listener, security: security, trick: does, ends: t.Context()}
	t.Cleanup(func() { _ = listener.Close(); s.running.Wait() })
	if does.at == phaseConnect && does.does == stalls {
		s.fill(t)
	} else {
		s.accept()
	}
	return s
}

func (s *trickster) accept() {
	s.running.Go(func() {
		for {
			conn, err := s.listener.AcceptTCP()
			if err != nil {
				return
			}
			s.running.Go(func() { s.converse(conn) })
		}
	})
}

// fill leaves no room among the connections that wait to be accepted: the kernel answers no more.
func (s *trickster) fill(t *testing.T) {
	t.Helper()
	raw, err := s.listener.SyscallConn()
	require.NoError(t, err)
	var refusal error
	require.NoError(t, raw.Control(func(fd uintptr) { refusal = syscall.Listen(int(fd), 0) }))
	require.NoError(t, refusal)
	for range 2 {
		if conn, err := net.DialTimeout("tcp", s.address, 200*time.Millisecond); err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}
}

// phaseQuit is one more phase of the server's.
const phaseQuit = phaseDot + 1

// play has the server do another trick.
func (s *trickster) play(does trick) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trick = does
}

// plays returns what happens at a phase; empty: nothing unusual.
func (s *trickster) plays(at phase) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trick.at != at || s.trick.does == "" {
		return ""
	}
	does := s.trick.does
	if s.trick.times--; s.trick.times <= 0 {
		s.trick.does = ""
	}
	return does
}

// taken returns how often the server took the mail with that id.
func (s *trickster) taken(messageID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, mail := range s.mails {
		if mail.header.Get("Message-ID") == messageID {
			n++
		}
	}
	return n
}

// heard returns the commands that begin so.
func (s *trickster) heard(verb string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.commands), func(said string) bool { return !strings.HasPrefix(said, verb) })
}

func (s *trickster) connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

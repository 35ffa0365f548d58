package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/textproto"
	"strings"
)

// say answers at a phase, or does the trick. over: there is no more to this conversation.
func (s *trickster) say(conn *net.TCPConn, text *textproto.Conn, at phase, answer string) (agreed, over bool) {
	switch does := s.plays(at); does {
	case "":
		return true, answer != "" && text.PrintfLine("%s", answer) != nil
	case stalls:
		<-s.ends.Done()
		return false, true
	case resets:
		_ = conn.SetLinger(0) // what is closed now is reset
		return false, true
	default:
		err := text.PrintfLine("%s someone@example.com: no", does)
		return false, err != nil || at == phaseGreeting || strings.HasPrefix(does, "421")
	}
}

func (s *trickster) converse(conn *net.TCPConn) {
	defer context.AfterFunc(s.ends, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	s.mu.Lock()
	s.connections++
	s.mu.Unlock()
	text := textproto.NewConn(conn)
	for _, opening := range []struct {
		at     phase
		answer string
	}{{phaseConnect, ""}, {phaseGreeting, "220 mail.test ESMTP"}} {
		if _, over := s.say(conn, text, opening.at, opening.answer); over {
			return
		}
	}
	for encrypted, over := false, false; !over; {
		var agreed bool
		said, err := text.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.commands = append(s.commands, said)
		s.mu.Unlock()
		switch verb, rest, _ := strings.Cut(said, " "); verb {
		case "EHLO", "HELO":
			at, offers := phaseHello, "SMTPUTF8"
			if encrypted {
				at, offers = phaseTLS, "AUTH PLAIN"
			} else if s.security != nil {
				offers = "STARTTLS"
			}
			_, over = s.say(conn, text, at, "250-mail.test\r\n250-ENHANCEDSTATUSCODES\r\n250 "+offers)
		case "STARTTLS":
			if agreed, over = s.say(conn, text, phaseStartTLS, "220 go on"); agreed {
				text, encrypted = textproto.NewConn(tls.Server(conn, s.security)), true
			}
		case "AUTH":
			if proof, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN ")); string(proof) != "\x00mailer\x00p@ss" {
				return
			}
			_, over = s.say(conn, text, phaseAuth, "235 2.7.0 welcome")
		case "RSET":
			_, over = s.say(conn, text, phaseReset, "250 2.0.0 forgotten")
		case "MAIL":
			_, over = s.say(conn, text, phaseMail, "250 2.1.0 go on")
		case "RCPT":
			_, over = s.say(conn, text, phaseRcpt, "250 2.1.5 go on")
		case "DATA":
			if agreed, over = s.say(conn, text, phaseData, "354 go on"); agreed {
				over = s.takeMail(conn, text)
			}
		case "QUIT":
			_, _ = s.say(conn, text, phaseQuit, "221 2.0.0 bye")
			return
		default:
			over = text.PrintfLine("500 5.5.2 what") != nil
		}
	}
}

// takeMail reads a message. What it is silent about behind the dot it has all the same.
func (s *trickster) takeMail(conn *net.TCPConn, text *textproto.Conn) (over bool) {
	if _, over := s.say(conn, text, phaseContent, ""); over {
		return true
	}
	content, err := text.ReadDotBytes()
	if err != nil {
		return true
	}
	mail, err := take(content)
	if err != nil {
		return true
	}
	s.mu.Lock()
	if does := s.trick; does.at != phaseDot || does.does == "" || does.does == stalls || does.does == resets {
		s.mails = append(s.mails, mail)
	}
	s.mu.Unlock()
	_, over = s.say(conn, text, phaseDot, "250 2.0.0 it is here")
	return over
}

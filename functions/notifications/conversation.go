package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// farewell is how long a server may take to answer QUIT.
const farewell = time.Second

// A conversation is one with the mail server, about one message after another.
type conversation struct {
	conn    net.Conn // under TLS; its deadline bounds everything above it
	session *smtp.Client
	begun   int // messages that it was about

	refused bool // the server still holds to parts of a message that it refused
	over    bool // nothing more can be said
	gone    bool // over, by the server's doing, before it had anything of the last message
}

// bound gives what follows until the deadline that ctx must have.
func (c *conversation) bound(ctx context.Context) {
	until, _ := ctx.Deadline()
	// A connection that refuses a deadline is closed, which the next word to it tells.
	_ = c.conn.SetDeadline(until)
}

// send hands msg in, before the deadline that ctx must have. Nil means that the server took responsibility for it: it
// answered the final dot with 250. Any error is a [failure]. Whether there can be a next message, c.over tells.
func (c *conversation) send(ctx context.Context, msg *mail.Msg) error {
	c.bound(ctx)
	c.begun++
	at, err := c.hand(msg)
	c.refused = err != nil
	if err == nil {
		return nil
	}
	// A refusal is about the message alone. With 421, the server says good-bye (RFC 5321 §3.8).
	code := replyCode(err)
	c.over = at == phaseReset || code < 400 || code > 599 || code == 421
	c.gone = c.over && at < phaseContent && !isTimeout(err)
	return trouble(at, err)
}

// hand says all that hands msg in, and returns what it was about to say when something went wrong.
func (c *conversation) hand(msg *mail.Msg) (phase, error) {
	from, err := msg.GetSender(false)
	if err != nil {
		return phaseMail, fmt.Errorf("read sender: %w", err)
	}
	to, err := msg.GetRecipients()
	if err != nil || len(to) != 1 {
		return phaseRcpt, errors.New("not a message to one recipient")
	}
	if c.refused {
		if err := c.session.Reset(); err != nil {
			return phaseReset, err
		}
	}
	// A message that is marked as one with such an address goes to nobody whose server knows none.
	c.session.SkipSMTPUTF8(isASCII(to[0]))
	if err := c.session.Mail(from); err != nil {
		return phaseMail, err
	}
	if err := c.session.Rcpt(to[0]); err != nil {
		return phaseRcpt, err
	}
	content, err := c.session.Data()
	if err != nil {
		return phaseData, err
	}
	if _, err := msg.WriteTo(content); err != nil {
		// No dot: a server that has half a message forgets it with the connection.
		return phaseContent, err
	}
	return phaseDot, content.Close()
}

// end takes leave. What goes wrong now changes nothing about any message.
func (c *conversation) end() {
	_ = c.conn.SetDeadline(time.Now().Add(farewell))
	_ = c.session.Quit()
	_ = c.conn.Close()
}

// drop ends the conversation without a word.
func (c *conversation) drop() { _ = c.conn.Close() }

func isASCII(text string) bool {
	for _, r := range text {
		if r > unicode.MaxASCII {
			return false
		}
	}
	return true
}

package main

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// A conversation is one with the mail server.
type conversation struct {
	conn    net.Conn
	client  *mail.Client
	session *smtp.Client
}

// send hands message in. Nil means that the server took responsibility for it: it answered the final dot with 250.
func (c *conversation) send(message *mail.Msg) error {
	err := c.client.SendWithSMTPClient(c.session, message)
	if err == nil || message.IsDelivered() {
		return nil
	}
	return refusal(err)
}

// end takes leave. What goes wrong now changes nothing about the message.
func (c *conversation) end() {
	_ = c.client.CloseWithSMTPClient(c.session)
	_ = c.conn.Close()
}

// A failure says why a message was not sent, in words that hold no address.
type failure struct {
	text      string
	permanent bool // no further try will change it
}

func (f *failure) Error() string { return f.text }

// refusal describes the error of a message that was not taken. The server's own words may hold the recipient's
// address, so its codes are all that is kept (RFC 5321 §4.2.1: 5xx is for good). A refusal of the sender is ours to mend and no word
// about the message, which therefore stays.
func refusal(err error) error {
	var sending *mail.SendError
	if !errors.As(err, &sending) {
		return &failure{text: "send message: the reason is not known"}
	}
	code := sending.ErrorCode()
	if code == 0 {
		return &failure{text: sending.Reason.String() + ": no answer"}
	}
	text := fmt.Sprintf("%s: the server answered %d", sending.Reason, code)
	if enhanced := sending.EnhancedStatusCode(); enhanced != "" {
		text += " " + enhanced
	}
	return &failure{text: text, permanent: code >= 500 && sending.Reason != mail.ErrSMTPMailFrom}
}

// replyCode returns the code of a server's reply that err is, or 0.
func replyCode(err error) int {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return 0
	}
	return reply.Code
}

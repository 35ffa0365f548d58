package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"syscall"
	"time"
)

// A failure says why a message was not sent, in words that hold no address and no token.
type failure struct {
	text      string
	permanent bool          // no further try will change it
	wait      time.Duration // for which the receiver asks; 0: it does not say
	inDoubt   bool          // the receiver may have the message all the same
}

func (f *failure) Error() string { return f.text }

// A phase of a conversation with a mail server, in their order.
type phase int

const (
	phaseConnect phase = iota
	phaseTLS
	phaseGreeting
	phaseHello
	phaseStartTLS
	phaseAuth
	phaseReset
	phaseMail
	phaseRcpt
	phaseData
	phaseContent
	phaseDot
)

func (p phase) String() string {
	return [...]string{
		"connect", "TLS", "greeting", "EHLO", "STARTTLS", "AUTH", "RSET", "MAIL", "RCPT", "DATA", "content", "final dot",
	}[p]
}

// trouble describes what went wrong at a phase. A server's own words may hold the recipient's address or name the account that
// signs in, so its codes are all that is kept. RFC 5321 §4.2.1: 5xx is for good. What is refused before the server knows of a
// recipient is ours to mend and no word about the message, which therefore stays.
func trouble(at phase, err error) *failure {
	var reply *textproto.Error
	var gibberish textproto.ProtocolError
	f := &failure{text: at.String() + ": "}
	switch {
	case errors.As(err, &reply):
		f.text += "the mail server answered " + codes(reply)
		f.permanent = at >= phaseRcpt && reply.Code >= 500 && reply.Code < 600
	case errors.As(err, &gibberish):
		f.text += "the mail server's answer is none"
	case isTimeout(err):
		f.text += "the mail server did not answer in time"
	case brokeOff(err):
		f.text += "the mail server broke off"
	default:
		f.text += err.Error()
	}
	if f.inDoubt = at == phaseDot && replyCode(err) == 0; f.inDoubt {
		f.text += "; it may have the message"
	}
	return f
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func brokeOff(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// replyCode returns the code of a server's reply that err is, or 0.
func replyCode(err error) int {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return 0
	}
	return reply.Code
}

// codes returns a reply's code and, where it has one, the enhanced code of RFC 3463 behind that.
func codes(reply *textproto.Error) string {
	var class, subject, detail int
	n, _ := fmt.Sscanf(reply.Msg, "%d.%d.%d", &class, &subject, &detail)
	if n != 3 || class != reply.Code/100 || min(subject, detail) < 0 || max(subject, detail) > 999 {
		return strconv.Itoa(reply.Code)
	}
	return fmt.Sprintf("%d %d.%d.%d", reply.Code, class, subject, detail)
}

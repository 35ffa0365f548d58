package main

import (
	"errors"
	"net/textproto"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFailuresHoldCodesAndNoWordsOfTheServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at        phase
		err       error
		text      string
		permanent bool
		inDoubt   bool
	}{
		{phaseRcpt, &textproto.Error{Code: 550, Msg: "5.1.1 ben@example.com: nobody"}, "RCPT: the mail server answered 550 5.1.1", true, false},
		{phaseRcpt, &textproto.Error{Code: 550, Msg: "ben@example.com 5.1.1"}, "RCPT: the mail server answered 550", true, false},
		{phaseRcpt, &textproto.Error{Code: 550, Msg: "4.1.1 no"}, "RCPT: the mail server answered 550", true, false},
		{phaseRcpt, &textproto.Error{Code: 452, Msg: "4.2.-2 no"}, "RCPT: the mail server answered 452", false, false},
		{phaseRcpt, &textproto.Error{Code: 452, Msg: "4.2.1000 no"}, "RCPT: the mail server answered 452", false, false},
		{phaseMail, &textproto.Error{Code: 553, Msg: "5.7.1 hello@example.com"}, "MAIL: the mail server answered 553 5.7.1", false, false},
		{phaseData, &textproto.Error{Code: 250, Msg: "2.0.0 what"}, "DATA: the mail server answered 250 2.0.0", false, false},
		{phaseDot, &textproto.Error{Code: 554, Msg: ""}, "final dot: the mail server answered 554", true, false},
		{phaseMail, textproto.ProtocolError("short response: ben@example.com"), "MAIL: the mail server's answer is none", false, false},
		{phaseDot, textproto.ProtocolError("x"), "final dot: the mail server's answer is none; it may have the message", false, true},
		{phaseStartTLS, errors.New("tls: no"), "STARTTLS: tls: no", false, false},
	} {
		f := trouble(c.at, c.err)
		require.EqualError(t, f, c.text)
		require.Equal(t, c.permanent, f.permanent, c.text)
		require.Equal(t, c.inDoubt, f.inDoubt, c.text)
	}
}

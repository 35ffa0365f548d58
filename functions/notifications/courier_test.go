package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newCourier returns one for server, which it signs in to when trust is not nil.
func newCourier(t *testing.T, server *trickster, trust *x509.CertPool) *courier {
	t.Helper()
	url := "smtp://" + server.address
	if trust != nil {
		url = "smtp://mailer:p%40ss@" + server.address + "?tls=starttls"
	}
	c := &courier{}
	require.NoError(t, c.server.Decode(url))
	c.server.trust, c.server.name = trust, "myhoneydue.com"
	t.Cleanup(c.end)
	return c
}

// hand sends the mail of a message with that id, for so long at most.
func hand(t *testing.T, c *courier, id int64, deadline time.Duration) error {
	t.Helper()
	m := sample(typeDueSoon)
	m.ID = id
	msg, err := testComposer(t).compose(m)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	return c.send(ctx, msg)
}

func mailID(message int64) string { return fmt.Sprintf("<message.%d@myhoneydue.com>", message) }

const ample = 10 * time.Second

func TestManyMailsGoOverOneConnection(t *testing.T) {
	t.Parallel()
	server := newTrickster(t, nil, trick{})
	c := newCourier(t, server, nil)
	for id := range int64(perConnection) {
		require.NoError(t, hand(t, c, id, ample))
	}
	require.Equal(t, 1, server.connected())
	require.Empty(t, server.heard("RSET"))
	require.NoError(t, hand(t, c, perConnection, ample))
	require.Equal(t, 2, server.connected())
	require.Len(t, server.heard("QUIT"), 1)
	c.end()
	c.end()
	require.NoError(t, hand(t, c, perConnection+1, ample), "a courier may go on")
	require.Equal(t, 3, server.connected())
	require.Len(t, server.heard("QUIT"), 2)
	for id := range int64(perConnection + 2) {
		require.Equal(t, 1, server.taken(mailID(id)))
	}
}

// Each message has its own time: the first one's is over when the second begins.
func TestEachMailHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	server := newTrickster(t, nil, trick{})
	c := newCourier(t, server, nil)
	require.NoError(t, hand(t, c, 1, 500*time.Millisecond))
	over := time.NewTimer(600 * time.Millisecond)
	<-over.C
	require.NoError(t, hand(t, c, 2, ample))
	require.Equal(t, 1, server.connected())
}

// A server that ends a connection which nobody uses costs no message an attempt.
func TestAConnectionThatEndedMeanwhileIsReplaced(t *testing.T) {
	t.Parallel()
	for _, at := range []phase{phaseMail, phaseRcpt, phaseData} {
		for _, does := range []string{resets, "421 4.3.2"} {
			t.Run(at.String()+" "+does, func(t *testing.T) {
				t.Parallel()
				server := newTrickster(t, nil, trick{})
				c := newCourier(t, server, nil)
				require.NoError(t, hand(t, c, 1, ample))
				server.play(trick{at: at, does: does})
				require.NoError(t, hand(t, c, 2, ample))
				require.Equal(t, 2, server.connected())
				require.Equal(t, 1, server.taken(mailID(2)))

				server.play(trick{at: at, does: does, times: 2})
				require.Error(t, hand(t, c, 3, ample), "once")
				require.Equal(t, 3, server.connected())
				require.Zero(t, server.taken(mailID(3)))
				require.NoError(t, hand(t, c, 3, ample))
			})
		}
	}
}

// A server that wants no other message after one that it refused, and says so only when asked to forget that one, gets it over
// another connection.
func TestAResetThatIsRefusedReplacesTheConnection(t *testing.T) {
	t.Parallel()
	for _, does := range []string{resets, "421 4.3.2", "451 4.3.2", "550 5.3.2"} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			server := newTrickster(t, nil, trick{at: phaseRcpt, does: "550 5.1.1"})
			c := newCourier(t, server, nil)
			require.EqualError(t, hand(t, c, 1, ample), "RCPT: the mail server answered 550 5.1.1")
			server.play(trick{at: phaseReset, does: does})
			require.NoError(t, hand(t, c, 2, ample))
			require.Equal(t, 2, server.connected())
		})
	}
	t.Run(stalls, func(t *testing.T) {
		t.Parallel()
		server := newTrickster(t, nil, trick{at: phaseRcpt, does: "550 5.1.1"})
		c := newCourier(t, server, nil)
		require.Error(t, hand(t, c, 1, ample))
		server.play(trick{at: phaseReset, does: stalls})
		require.EqualError(t, hand(t, c, 2, 300*time.Millisecond), "RSET: the mail server did not answer in time")
		require.NoError(t, hand(t, c, 2, ample))
	})
}

// What the server has any of is not said again over another connection.
func TestNothingIsSaidTwiceOnceItsContentWas(t *testing.T) {
	t.Parallel()
	for _, at := range []phase{phaseContent, phaseDot} {
		server := newTrickster(t, nil, trick{})
		c := newCourier(t, server, nil)
		require.NoError(t, hand(t, c, 1, ample))
		server.play(trick{at: at, does: resets})
		require.ErrorContains(t, hand(t, c, 2, ample), "the mail server broke off")
		require.Equal(t, 1, server.connected())
		require.Len(t, server.heard("DATA"), 2)
	}
}

func TestLeavingTakesNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	server := newTrickster(t, nil, trick{})
	c := newCourier(t, server, nil)
	require.NoError(t, hand(t, c, 1, ample))
	server.play(trick{at: phaseQuit, does: stalls})
	began := time.Now()
	c.end()
	require.Less(t, time.Since(began), farewell+2*time.Second)
}

func TestAServerThatSpeaksNoTLS(t *testing.T) {
	t.Parallel()
	for does, want := range map[string]string{
		stalls: "^TLS: the mail server did not answer in time$", resets: "^(connect|TLS): the mail server broke off$",
	} {
		server := newTrickster(t, nil, trick{at: phaseGreeting, does: does})
		c := newCourier(t, server, nil)
		require.NoError(t, c.server.Decode("smtps://"+server.address))
		err := hand(t, c, 1, 500*time.Millisecond)
		var f *failure
		require.ErrorAs(t, err, &f)
		require.Regexp(t, want, f.text)
		require.False(t, f.permanent)
	}
}

// A server that is asked for SMTPUTF8 may refuse a mail whose way on leads to one without.
func TestSMTPUTF8IsAskedForWhereAnAddressNeedsIt(t *testing.T) {
	t.Parallel()
	server := newTrickster(t, nil, trick{})
	c := newCourier(t, server, nil)
	for _, address := range []string{"ben@example.com", "bén@example.com"} {
		m := sample(typeDueSoon)
		m.Address = address
		msg, err := testComposer(t).compose(m)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), ample)
		err = c.send(ctx, msg)
		cancel()
		require.NoError(t, err)
	}
	require.Equal(t, []string{"MAIL FROM:<hello@myhoneydue.com>", "MAIL FROM:<hello@myhoneydue.com> SMTPUTF8"}, server.heard("MAIL"))
	require.Equal(t, []string{"RCPT TO:<ben@example.com>", "RCPT TO:<bén@example.com>"}, server.heard("RCPT"))
}

package main

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// A trial is a trick and what must come of it.
type trial struct {
	trick
	failure   string // a regular expression for its text
	permanent bool
	inDoubt   bool
	taken     int  // how often the server has the mail after the first try
	kept      bool // the connection, for the next mail
}

// troubles are every trick in every phase that can have it.
func troubles() []trial {
	var all []trial
	for at := phaseConnect; at <= phaseDot; at++ {
		if at == phaseTLS || at == phaseReset { // tested with the courier
			continue
		}
		where := at.String()
		silence := trial{trick: trick{at: at, does: stalls}, failure: "^" + where + ": the mail server did not answer in time"}
		reset := trial{trick: trick{at: at, does: resets}, failure: "^" + where + ": the mail server broke off"}
		switch at {
		case phaseConnect, phaseGreeting:
			reset.failure = "^(connect|greeting): the mail server broke off" // the kernel may tell before anything is read
		case phaseContent:
			// What is written to a connection is soon out of sight: that it was not read shows behind the dot.
			silence.failure, silence.inDoubt = "^final dot: the mail server did not answer in time; it may have the message", true
			reset.failure = "^(content|final dot): the mail server broke off"
		case phaseDot:
			silence.taken, silence.inDoubt = 1, true
			reset.taken, reset.inDoubt = 1, true
		}
		all = append(all, silence, reset)
		if at == phaseConnect || at == phaseContent {
			continue
		}
		for _, reply := range []string{"421 4.3.2", "451 4.3.0", "550 5.7.1"} {
			refusal := trial{trick: trick{at: at, does: reply}, failure: "^" + where + ": the mail server answered " + reply + "$"}
			if at == phaseHello && reply[:3] != "421" {
				refusal.times = 2 // who is refused with EHLO tries HELO
			}
			refusal.permanent = at >= phaseRcpt && reply[0] == '5'
			refusal.kept = at >= phaseMail && reply[:3] != "421"
			all = append(all, refusal)
		}
	}
	return all
}

// deadline is as short as a test can wait, and so long that nothing else comes to it.
func (c trial) deadline() time.Duration {
	if c.does == stalls {
		return time.Second
	}
	return ample
}

func TestTroubleWithAMailServer(t *testing.T) {
	t.Parallel()
	security, trust := certificate(t)
	for _, c := range troubles() {
		t.Run(c.at.String()+" "+c.does, func(t *testing.T) {
			t.Parallel()
			server := newTrickster(t, security, c.trick)
			courier := newCourier(t, server, trust)
			began := time.Now()
			err := hand(t, courier, 1, c.deadline())
			require.Less(t, time.Since(began), 5*time.Second)
			var f *failure
			require.ErrorAs(t, err, &f)
			require.Regexp(t, c.failure, f.text)
			require.NotContains(t, f.text, "@")
			require.Equal(t, c.permanent, f.permanent)
			if c.trick != (trick{at: phaseContent, does: resets}) {
				require.Equal(t, c.inDoubt, f.inDoubt)
			}
			require.Equal(t, c.taken, server.taken(mailID(1)))

			if c.at == phaseConnect && c.does == stalls {
				server.accept()
			}
			require.NoError(t, hand(t, courier, 2, ample), "the next one goes out")
			require.Equal(t, 1, server.taken(mailID(2)))
			require.Equal(t, c.taken, server.taken(mailID(1)), "nothing is sent again by itself")
			if c.kept {
				require.Equal(t, 1, server.connected())
				require.Len(t, server.heard("RSET"), 1)
			} else {
				require.Empty(t, server.heard("RSET"))
			}
		})
	}
}

// What becomes of a row that meets with trouble, and of those that share its connection.
func TestRowsAfterTroubleWithAMailServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	security, trust := certificate(t)
	doubled := 0
	for _, c := range troubles() {
		t.Run(c.at.String()+" "+c.does, func(t *testing.T) {
			b.Exec(t, `DELETE FROM notification_message`)
			b.backlog(t, 3)
			server := newTrickster(t, security, c.trick)
			b.service.couriers, b.service.deadline = &couriers{server: newCourier(t, server, trust).server}, c.deadline()
			t.Cleanup(b.service.couriers.close)
			claimed, err := b.service.claim(t.Context(), 3)
			require.NoError(t, err)
			require.Len(t, claimed, 3)
			b.service.work(t.Context(), claimed, time.Now(), new(atomic.Int64))
			state, attempts, reason := b.outcome(t, claimed[0].ID)
			require.Regexp(t, c.failure, reason)
			require.Equal(t, 1, attempts)
			require.Equal(t, c.taken, server.taken(b.headerOf(claimed[0])))
			if c.permanent {
				require.Equal(t, "dead", state)
			} else {
				require.Equal(t, "pending", state)
				wait := functiontest.Value[float64](t, b.Server,
					`SELECT extract(epoch FROM next_at - now())::float8 FROM notification_message WHERE id = $1`, claimed[0].ID)
				require.Greater(t, wait, 10.0)
				require.LessOrEqual(t, wait, firstPause.Seconds())
			}

			// A message that took all the time of its batch leaves none for the rest, which is given back.
			if c.at == phaseConnect && c.does == stalls {
				server.accept()
			}
			b.service.deadline = ample
			b.sendAll(t)
			for _, m := range claimed[1:] {
				state, attempts, _ := b.outcome(t, m.ID)
				require.Equal(t, "sent 1", fmt.Sprint(state, " ", attempts))
				require.Equal(t, 1, server.taken(b.headerOf(m)))
			}
			b.due(t)
			b.sendAll(t)
			b.sendAll(t)
			state, attempts, _ = b.outcome(t, claimed[0].ID)
			if c.permanent {
				require.Equal(t, "dead 1", fmt.Sprint(state, " ", attempts))
				require.Zero(t, server.taken(b.headerOf(claimed[0])))
				return
			}
			require.Equal(t, "sent 2", fmt.Sprint(state, " ", attempts))
			require.Equal(t, c.taken+1, server.taken(b.headerOf(claimed[0])))
			if c.taken > 0 {
				require.True(t, c.inDoubt)
				doubled++
			}
		})
	}
	require.Equal(t, 2, doubled, "a stall and a reset behind the dot, and nothing else")
}

// sendAll sends all that is due, as a tick does.
func (b *bundle) sendAll(t *testing.T) {
	t.Helper()
	more, err := b.service.sendDue(t.Context())
	require.NoError(t, err)
	require.False(t, more)
}

func (b *bundle) outcome(t *testing.T, id int64) (state string, attempts int, lastError string) {
	t.Helper()
	state = functiontest.Value[string](t, b.Server, `SELECT state FROM notification_message WHERE id = $1`, id)
	attempts = functiontest.Value[int](t, b.Server, `SELECT attempts FROM notification_message WHERE id = $1`, id)
	lastError = functiontest.Value[string](t, b.Server, `SELECT coalesce(last_error, '') FROM notification_message WHERE id = $1`, id)
	return state, attempts, lastError
}

// headerOf returns the Message-ID of m's mail.
func (b *bundle) headerOf(m message) string { return "<" + b.service.composer.messageID(m) + ">" }

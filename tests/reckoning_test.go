package tests

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// A fact is something that happened, with what its messages depend on.
type fact struct {
	typ   string // of its messages
	thing string // what they are about
	home  *house
	by    *villager // who did it, and hears nothing
	to    *villager // who hears of it; nil: everybody else in the home
	duty  *duty
	entry *entry
}

// tell writes a fact into the book.
func (v *village) tell(f fact) { v.facts = append(v.facts, f) }

// A told is one message as people count them.
type told struct {
	typ, channel string
	person       int64
	thing        string
}

// A want says how many messages of a kind there must be and, when they must not be sent, what may be said for it.
type want struct {
	times   int
	reasons []string
}

// wanted is the plain reference: every message that the facts ask for, as things stand now that all has happened.
func (v *village) wanted() map[told]want {
	all := map[told]want{}
	for _, f := range v.facts {
		for _, p := range v.audience(f) {
			for _, channel := range f.channels(p) {
				key := told{f.typ, channel, p.ID, f.thing}
				w := want{all[key].times + 1, nil}
				if channel != "app" {
					w.reasons = f.untrue(p)
				}
				all[key] = w
			}
		}
	}
	return all
}

// audience is who must hear of a fact.
func (v *village) audience(f fact) []*villager {
	if f.to != nil {
		return []*villager{f.to}
	}
	return slices.DeleteFunc(slices.Clone(v.people), func(p *villager) bool { return !f.home.members[p] || p == f.by })
}

// channels are those by which somebody hears of a fact; of their account, by mail alone.
func (f fact) channels(p *villager) []string {
	if f.home == nil {
		return []string{"email"}
	}
	channels := []string{"app"}
	if p.verified && !p.muted[f.typ+".email"] {
		channels = append(channels, "email")
	}
	if !p.muted[f.typ+".push"] && len(p.devices) > 0 {
		channels = append(channels, "push")
	}
	return channels
}

// untrue returns all that speaks against telling somebody of a fact now.
func (f fact) untrue(p *villager) (reasons []string) {
	say := func(untrue bool, reason string) {
		if untrue {
			reasons = append(reasons, reason)
		}
	}
	// A message with a code is worth sending for as long as the code.
	ended := f.typ == "password_reset" && !p.forgetful
	say(ended, "the code is not valid any more")
	say(ended, "expired")
	if f.home == nil {
		return reasons
	}
	say(!f.home.members[p], "this person is not a member any more")
	say(f.typ == "residence_joined" && !f.home.members[f.by], "who joined is not a member any more")
	say(f.duty != nil && f.duty.gone, "the task is gone")
	say(f.typ == "task_assigned" && f.duty.holder != p, "the task is not assigned to this person any more")
	say(f.typ == "task_assigned" && f.duty.closed, "the task is not open any more")
	say(f.entry != nil && f.entry.gone, "the completion is gone")
	return reasons
}

// A record is what the function keeps, by the messages' ids.
type record map[int64]row

// A row is a message as the function keeps it.
type row struct {
	ID       int64
	Type     string
	Channel  string
	UserID   int64
	Thing    string
	State    string
	Reason   string
	Attempts int
}

func readRecord(ctx context.Context, t *testing.T, db *pgxpool.Pool) record {
	t.Helper()
	rows, err := db.Query(ctx, `
		SELECT id, type, channel, user_id, CASE type
		        WHEN 'task_assigned' THEN 'task ' || (refs->>'task_id')
		        WHEN 'task_completed' THEN 'completion ' || (refs->>'completion_id')
		        WHEN 'residence_joined' THEN (refs->>'user_id') || ' in home ' || (refs->>'residence_id')
		        ELSE '' END AS thing,
		    state, coalesce(last_error, '') AS reason, attempts
		FROM notification_message`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	require.NoError(t, err)
	r := record{}
	for _, one := range all {
		r[one.ID] = one
	}
	return r
}

// compare requires that the messages are those that are wanted, and no others, and returns how many were sent and how many were not.
func (r record) compare(t *testing.T, wanted map[told]want) (sent, dead int) {
	t.Helper()
	found := map[told]int{}
	for _, m := range r {
		key := told{m.Type, m.Channel, m.UserID, m.Thing}
		found[key]++
		w, ok := wanted[key]
		require.True(t, ok, "nobody asked for %+v", m)
		if len(w.reasons) == 0 {
			require.Equal(t, "sent", m.State, "%+v", m)
			sent++
			continue
		}
		require.Equal(t, "dead", m.State, "%+v, but: %v", m, w.reasons)
		require.Contains(t, w.reasons, m.Reason, "%+v", m)
		dead++
	}
	for key, w := range wanted {
		require.Equal(t, w.times, found[key], "messages that are %+v", key)
	}
	return sent, dead
}

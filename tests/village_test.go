package tests

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/story"
)

// A village is people and homes, and a book of all that happened there of which somebody must hear.
type village struct {
	system *local.System
	random *rand.Rand // decides what happens, so that the same seed tells the same story
	people []*villager
	homes  []*house
	facts  []fact
}

type house struct {
	id      int64
	people  []*villager // the owner first; those who left, too
	duties  []*duty
	members map[*villager]bool
}

type duty struct {
	id     int64
	home   *house
	holder *villager // whom it is assigned to; nil: nobody
	closed bool
	gone   bool
	past   []*entry // what can be taken back is the last; nil stands for an entry that cannot
}

type entry struct {
	id   int64
	gone bool
}

// newVillage has people settle: they prove their addresses, register phones, and say what they do not want to hear.
func newVillage(ctx context.Context, t *testing.T, s *local.System, random *rand.Rand, settlers int) *village {
	t.Helper()
	v := &village{system: s, random: random}
	for range settlers {
		v.arrive(ctx, t)
	}
	for i, p := range v.people {
		require.NoError(t, p.Verify(ctx, codeIn(t, mailTo(t, ctx, s, p.Email, "confirm your email"))))
		p.verified = true
		if i%2 == 0 {
			v.register(ctx, t, p)
		}
		v.mute(ctx, t, p)
	}
	return v
}

// arrive has somebody make an account.
func (v *village) arrive(ctx context.Context, t *testing.T) *villager {
	t.Helper()
	person, err := story.Register(ctx, story.NewPhone(v.system.URL), "Robin")
	require.NoError(t, err)
	p := &villager{Person: person, muted: map[string]bool{}, password: story.Password}
	v.people = append(v.people, p)
	v.tell(fact{typ: "email_verification", to: p})
	return p
}

// live has people share homes, and then so many things happen in them.
func (v *village) live(ctx context.Context, t *testing.T, acts int) {
	t.Helper()
	for range len(v.people) / 3 {
		v.build(ctx, t)
	}
	for range acts {
		switch n := v.random.IntN(100); {
		case n < 25:
			v.plan(ctx, t)
		case n < 40:
			v.hand(ctx, t)
		case n < 75:
			v.complete(ctx, t)
		case n < 80:
			v.takeBack(ctx, t)
		case n < 84:
			v.close(ctx, t)
		case n < 86:
			v.drop(ctx, t)
		case n < 91:
			v.changePassword(ctx, t)
		case n < 94:
			v.forget(ctx, t)
		case n < 96:
			v.leave(ctx, t)
		default:
			v.join(ctx, t)
		}
	}
}

// build has somebody share a new home with two to four others.
func (v *village) build(ctx context.Context, t *testing.T) {
	t.Helper()
	people := make([]*villager, 0, 5)
	for _, i := range v.random.Perm(len(v.people))[:3+v.random.IntN(3)] {
		people = append(people, v.people[i])
	}
	h := &house{members: map[*villager]bool{}}
	var made struct{ ID int64 }
	v.must(ctx, t, people[0], http.MethodPost, "/api/residences/", map[string]any{"name": "Mill", "residence_type": "house"}, &made)
	h.id = made.ID
	h.people, h.members[people[0]] = people[:1:1], true
	v.homes = append(v.homes, h)
	for _, p := range people[1:] {
		v.admit(ctx, t, h, p)
	}
}

func (v *village) admit(ctx context.Context, t *testing.T, h *house, p *villager) {
	t.Helper()
	require.NoError(t, story.Admit(ctx, h.people[0].Person, h.id, p.Person))
	if !slices.Contains(h.people, p) {
		h.people = append(h.people, p)
	}
	h.members[p] = true
	v.tell(fact{typ: "residence_joined", thing: fmt.Sprintf("%d in home %d", p.ID, h.id), home: h, by: p})
}

// join has somebody new, or somebody who left, come to a home; a new one proves no address.
func (v *village) join(ctx context.Context, t *testing.T) {
	t.Helper()
	h := pick(v.random, v.homes)
	for _, p := range v.people {
		if !h.members[p] && slices.Contains(h.people, p) {
			v.admit(ctx, t, h, p)
			return
		}
	}
	p := v.arrive(ctx, t)
	if v.random.IntN(2) == 0 {
		v.register(ctx, t, p)
	}
	v.admit(ctx, t, h, p)
}

// leave has a member go, who is taken off their tasks.
func (v *village) leave(ctx context.Context, t *testing.T) {
	t.Helper()
	h := pick(v.random, v.homes)
	p := v.anyOf(h)
	if p == h.people[0] {
		return
	}
	v.must(ctx, t, p, http.MethodDelete, fmt.Sprintf("/api/residences/%d/users/%d/", h.id, p.ID), nil, nil)
	delete(h.members, p)
	for _, c := range h.duties {
		if c.holder == p {
			c.holder, c.past = nil, append(c.past, nil)
		}
	}
}

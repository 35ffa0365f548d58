package tests

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

func pick[T any](random *rand.Rand, all []T) T { return all[random.IntN(len(all))] }

// anyOf returns a member of a home.
func (v *village) anyOf(h *house) *villager {
	for {
		if p := pick(v.random, h.people); h.members[p] {
			return p
		}
	}
}

// must has somebody make a call that has to work, and reads its answer unless into is nil.
func (v *village) must(ctx context.Context, t *testing.T, p *villager, method, path string, body, into any) {
	t.Helper()
	answer, err := p.Call(ctx, method, path, body, "")
	require.NoError(t, err)
	require.Less(t, answer.Status, 300, "%s %s: %s", method, path, answer.Body)
	if into != nil {
		require.NoError(t, answer.Decode(answer.Status, into))
	}
}

// plan has somebody make a task, most often for somebody.
func (v *village) plan(ctx context.Context, t *testing.T) {
	t.Helper()
	h := pick(v.random, v.homes)
	maker, c := v.anyOf(h), &duty{home: h}
	body := map[string]any{"residence_id": h.id, "title": "Sweep", "due_date": story.Day(9), "frequency_id": 3}
	if v.random.IntN(5) > 0 {
		c.holder = v.anyOf(h)
		body["assigned_to_id"] = c.holder.ID
	}
	var made struct{ ID int64 }
	v.must(ctx, t, maker, http.MethodPost, "/api/tasks/", body, &made)
	c.id = made.ID
	h.duties = append(h.duties, c)
	v.assigned(c, maker)
}

// hand has somebody give a task to another.
func (v *village) hand(ctx context.Context, t *testing.T) {
	t.Helper()
	c := v.anyDuty()
	if c == nil {
		return
	}
	giver, to := v.anyOf(c.home), v.anyOf(c.home)
	v.must(ctx, t, giver, http.MethodPatch, c.path(), map[string]any{"assigned_to_id": to.ID}, nil)
	if c.holder != to {
		c.holder = to
		v.assigned(c, giver)
	}
}

func (v *village) assigned(c *duty, giver *villager) {
	if c.holder != nil && c.holder != giver {
		v.tell(fact{typ: "task_assigned", thing: fmt.Sprintf("task %d", c.id), home: c.home, by: giver, to: c.holder, duty: c})
	}
}

func (v *village) complete(ctx context.Context, t *testing.T) {
	t.Helper()
	c := v.anyDuty()
	if c == nil || v.fullOf("task_completed", c.home) {
		return
	}
	who := v.anyOf(c.home)
	var done struct{ Completion struct{ ID int64 } }
	v.must(ctx, t, who, http.MethodPost, "/api/task-completions/", map[string]any{"task_id": c.id, "notes": "Done"}, &done)
	e := &entry{id: done.Completion.ID}
	c.past = append(c.past, e)
	v.tell(fact{typ: "task_completed", thing: fmt.Sprintf("completion %d", e.id), home: c.home, by: who, duty: c, entry: e})
}

// newsAnHour is how much news of a type somebody gets by mail or push within an hour. What is cut off beyond that depends on the order in
// which events arrive, so that no reckoning could tell: the story stays below.
const newsAnHour = 60

// fullOf returns whether one more fact of that type might be too much for somebody who has belonged to a home, or may come to it.
func (v *village) fullOf(typ string, h *house) bool {
	ofHome, ofPeople := 0, map[*villager]int{}
	for _, f := range v.facts {
		if f.typ != typ {
			continue
		}
		if f.home == h {
			ofHome++
		}
		for _, p := range f.home.people {
			if p != f.by {
				ofPeople[p]++
			}
		}
	}
	return ofHome >= newsAnHour || slices.ContainsFunc(h.people, func(p *villager) bool { return ofPeople[p] >= newsAnHour })
}

// takeBack undoes what was done last, as if it had not happened.
func (v *village) takeBack(ctx context.Context, t *testing.T) {
	t.Helper()
	c := v.anyDuty()
	if c == nil || len(c.past) == 0 || c.past[len(c.past)-1] == nil {
		return
	}
	last := c.past[len(c.past)-1]
	v.must(ctx, t, v.anyOf(c.home), http.MethodDelete, fmt.Sprintf("/api/task-completions/%d/", last.id), nil, nil)
	last.gone, c.past = true, c.past[:len(c.past)-1]
}

// close cancels or archives a task.
func (v *village) close(ctx context.Context, t *testing.T) {
	t.Helper()
	if c := v.anyDuty(); c != nil {
		v.must(ctx, t, v.anyOf(c.home), http.MethodPost, c.path()+pick(v.random, []string{"cancel/", "archive/"}), nil, nil)
		c.closed = true
	}
}

// drop deletes a task, and its history with it.
func (v *village) drop(ctx context.Context, t *testing.T) {
	t.Helper()
	if c := v.anyDuty(); c != nil {
		v.must(ctx, t, v.anyOf(c.home), http.MethodDelete, c.path(), nil, nil)
		c.gone = true
		for _, e := range c.past {
			if e != nil {
				e.gone = true
			}
		}
	}
}

// anyDuty returns a task that is open, or nil.
func (v *village) anyDuty() *duty {
	var open []*duty
	for _, h := range v.homes {
		for _, c := range h.duties {
			if !c.closed && !c.gone {
				open = append(open, c)
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	return pick(v.random, open)
}

func (c *duty) path() string { return fmt.Sprintf("/api/tasks/%d/", c.id) }

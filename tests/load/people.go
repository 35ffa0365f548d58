package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/tests/story"
)

// A Home is one with its people, the owner first, and its tasks.
type Home struct {
	ID     int64
	People []*story.Person
	Tasks  []int64
}

// A Village is people and their homes.
type Village struct {
	People []*Villager
	Homes  []*Home
}

// A Villager is a person and the homes that they see.
type Villager struct {
	*story.Person

	Homes []*Home
}

// Tasks is how many tasks the person's board has.
func (v *Villager) Tasks() (n int) {
	for _, h := range v.Homes {
		n += len(h.Tasks)
	}
	return n
}

// Sees returns whether the person belongs to the home with that id.
func (v *Villager) Sees(home int64) bool {
	return slices.ContainsFunc(v.Homes, func(h *Home) bool { return h.ID == home })
}

// Sizes of households, out of 100, as a census has them: one person, two, three, four.
var households = [...]int{29, 35, 15, 21}

// Tasks of a home: half have fewer than the middle one; few people keep a long list.
var taskCounts = [...]int{4, 9, 14, 20, 28, 40, 60, 95, 160}

// Titles are what people write.
var titles = [...]string{
	"Change the furnace filter", "Clean the gutters", "Test the smoke alarms", "Descale the kettle", "Bleed the radiators",
	"Water the plants", "Sweep the chimney", "Check the roof for loose tiles", "Flush the water heater", "Oil the hinges",
}

// Village makes so many homes, each with the people and tasks of a usual one. The owner of every seventh belongs to another as well.
func (at *Site) Village(ctx context.Context, homes int) (*Village, error) {
	draw := rand.New(rand.NewPCG(4711, uint64(homes)))
	v := &Village{Homes: make([]*Home, homes)}
	group, making := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range homes {
		people, tasks := household(draw), taskCounts[draw.IntN(len(taskCounts))]
		group.Go(func() (err error) {
			v.Homes[i], err = at.moveIn(making, people, tasks)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, home := range v.Homes {
		for _, person := range home.People {
			v.People = append(v.People, &Villager{person, []*Home{home}})
		}
		if i%7 != 6 {
			continue
		}
		owner, other := v.People[len(v.People)-len(home.People)], v.Homes[i-1]
		if err := story.Admit(ctx, other.People[0], other.ID, owner.Person); err != nil {
			return nil, err
		}
		other.People, owner.Homes = append(other.People, owner.Person), append(owner.Homes, other)
	}
	return v, nil
}

// household draws how many people live in a home.
func household(draw *rand.Rand) int {
	n := draw.IntN(100)
	for i, share := range households {
		if n -= share; n < 0 {
			return i + 1
		}
	}
	return len(households)
}

// moveIn makes a home with so many people and tasks. A third of the tasks are done once, a third stay once and for all.
func (at *Site) moveIn(ctx context.Context, people, tasks int) (h *Home, err error) {
	h = &Home{People: make([]*story.Person, people), Tasks: make([]int64, tasks)}
	for i := range h.People {
		if h.People[i], err = story.Register(ctx, at.Phone(), "Vera"); err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
	}
	owner := h.People[0]
	if h.ID, err = story.Share(ctx, owner, h.People[1:]...); err != nil {
		return nil, err
	}
	for i := range h.Tasks {
		var made struct{ ID int64 }
		if err := owner.Create(ctx, "/api/tasks/", http.StatusCreated, h.Task(i), &made); err != nil {
			return nil, err
		}
		h.Tasks[i] = made.ID
		if i%3 == 0 {
			if err := owner.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": made.ID}, nil); err != nil {
				return nil, err
			}
		}
	}
	return h, nil
}

// Frequencies of the lists to choose from: once, and every month.
const once, monthly = 1, 5

// Task is what a person sends to make one: due within a quarter before or after today. Of three, the second is done once and for all.
func (h *Home) Task(i int) map[string]any {
	frequency := monthly
	if i%3 == 1 {
		frequency = once
	}
	return map[string]any{
		"residence_id": h.ID, "title": titles[i%len(titles)], "description": "Both sides, and the joints; the ladder stands behind the shed.",
		"category_id": 1 + i%13, "priority_id": 1 + i%4, "frequency_id": frequency, "due_date": story.Day(i*7%180 - 90),
	}
}

package main

import (
	"slices"

	"github.com/honeydue/backend/shared/recur"
)

// A Template is a piece of home maintenance to make a task from.
type Template struct {
	ID          int64     `json:"id" example:"1101"`
	Title       string    `json:"title" example:"Clean the gutters after the leaves have fallen"`
	Description string    `json:"description" doc:"What to do" example:"Scoop the gutters out, flush them with a hose, and see that each downpipe runs."`
	Why         string    `json:"why" doc:"Why it matters, in a sentence" example:"Overflowing gutters soak walls and foundation, and ice tears them off."`
	CategoryID  int64     `json:"category_id" example:"11"`
	PriorityID  int64     `json:"priority_id" example:"3"`
	FrequencyID *int64    `json:"frequency_id" doc:"Its rhythm, of the list; null where recurrence says it" example:"5"`
	Recurrence  shownRule `json:"recurrence" doc:"Its rhythm in full; null where frequency_id says it. Seasons are those of the northern half of the world"`
	Minutes     int       `json:"estimated_minutes" doc:"How long it takes, about" example:"120"`
	SpecialtyID *int64    `json:"specialty_id" doc:"Whom to call for it; null for what people do themselves" example:"16"`
	AppliesTo   []string  `json:"applies_to" nullable:"false" doc:"Which homes it is for, in sentences; empty for every home" example:"[\"For homes with a pool.\"]"`
}

// A templateRow is a row of task_template.
type templateRow struct {
	ID          int64
	Title       string
	CategoryID  int64
	PriorityID  int64
	Minutes     int
	SpecialtyID *int64
	FrequencyID *int64
	Recurrence  *recur.Rule
	Applies     []condition
	Description string
	Why         string
}

// templateColumns reads a templateRow from task_template under the alias t.
const templateColumns = `t.id, t.title, t.category_id, t.priority_id, t.minutes, t.specialty_id, t.frequency_id, t.recurrence, t.applies,
    t.description, t.why`

// template returns what the app sees.
func (r templateRow) template() Template {
	shown := Template{
		ID: r.ID, Title: r.Title, Description: r.Description, Why: r.Why, CategoryID: r.CategoryID, PriorityID: r.PriorityID,
		FrequencyID: r.FrequencyID, Recurrence: shownRule{r.Recurrence}, Minutes: r.Minutes, SpecialtyID: r.SpecialtyID,
		AppliesTo: []string{},
	}
	// Beside what a home must have, the kind of home is only a presumption.
	says := func(c condition) bool { return !c.Optional && !c.presumes() }
	for _, c := range r.Applies {
		if !c.presumes() || !slices.ContainsFunc(r.Applies, says) {
			shown.AppliesTo = append(shown.AppliesTo, c.sentence())
		}
	}
	return shown
}

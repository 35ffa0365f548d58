package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/problem"
)

// A Suggestion is a template that fits a home.
type Suggestion struct {
	Template Template     `json:"template"`
	Fit      Fit          `json:"fit" enum:"profile,every_home,unknown" doc:"profile: what is known of the home speaks for it. every_home: almost every home needs it. unknown: the profile does not say"`
	Reasons  []string     `json:"reasons" nullable:"false" doc:"Why it is suggested, in sentences" example:"[\"Your home has a pool.\",\"This is the season for it.\"]"`
	Task     ProposedTask `json:"task" doc:"The task to make of it: an entry of the tasks of POST /api/tasks/bulk/ as it is, or with a residence_id the body of POST /api/tasks/"`
}

// A ProposedTask holds fields of a task that is to be.
type ProposedTask struct {
	TemplateID  int64     `json:"template_id" example:"1101"`
	Title       string    `json:"title" example:"Clean the gutters after the leaves have fallen"`
	Description string    `json:"description" example:"Scoop the gutters out, flush them with a hose, and see that each downpipe runs."`
	CategoryID  int64     `json:"category_id" example:"11"`
	PriorityID  int64     `json:"priority_id" example:"3"`
	FrequencyID *int64    `json:"frequency_id" example:"5"`
	Recurrence  shownRule `json:"recurrence" doc:"With the seasons of the half of the world in which the home's country lies"`
	DueDate     date.Date `json:"due_date" format:"date" doc:"Soon for what is urgent, and in season" example:"2026-11-28"`
}

type listSuggestionsInput struct {
	page.Query
	ResidenceID int64 `query:"residence_id" required:"true" minimum:"1" doc:"The home's id" example:"3"`
}

type listSuggestionsOutput struct {
	Body page.List[Suggestion]
}

const selectProfile = `
SELECT ` + profileColumns + `
FROM residence_member m JOIN residence_residence r ON r.id = m.residence_id
WHERE m.residence_id = $1 AND m.user_id = $2`

// A template is in use while a task made from it is open, and one for what is done once is for ever once it was done.
var selectCandidates = `
WITH used AS (
    SELECT k.template_id, bool_or(` + board.SQL("k", "$2::date", "$3::int") + ` NOT IN ('', 'completed_tasks')) AS open,
        bool_or(k.completion_count > 0) AS done
    FROM task_task k WHERE k.residence_id = $1 AND k.template_id IS NOT NULL GROUP BY k.template_id
)
SELECT ` + templateColumns + `, p.level,
    coalesce(u.open OR u.done AND t.recurrence IS NULL AND f.every IS NULL, false) AS in_use
FROM task_template t JOIN task_priority p ON p.id = t.priority_id
    LEFT JOIN task_frequency f ON f.id = t.frequency_id LEFT JOIN used u ON u.template_id = t.id
ORDER BY t.id`

func (s *service) listSuggestions(ctx context.Context, in *listSuggestionsInput) (*listSuggestionsOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	today := authn.Today(ctx, s.Now())
	about, candidates, err := s.readCandidates(ctx, in.ResidenceID, today)
	if err != nil {
		return nil, err
	}
	found := []Suggestion{}
	for _, r := range rankedAfter(rank(about, candidates, today), after) {
		if !r.InUse && len(found) <= in.Limit {
			found = append(found, r.suggestion())
		}
	}
	return &listSuggestionsOutput{Body: page.Of(found, in.Limit, func(s Suggestion) int64 { return s.Template.ID })}, nil
}

// readCandidates reads a home's profile and all templates in one round trip. Whoever does not belong to the home gets the 404
// of what is not there.
func (s *service) readCandidates(ctx context.Context, residence int64, today date.Date) (about profile, candidates []candidate, err error) {
	batch := &pgx.Batch{}
	batch.Queue(selectProfile, residence, authn.User(ctx).ID).Query(func(rows pgx.Rows) (err error) {
		about, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[profile])
		return err
	})
	batch.Queue(selectCandidates, residence, today, board.DefaultThreshold).Query(func(rows pgx.Rows) (err error) {
		candidates, err = pgx.CollectRows(rows, pgx.RowToStructByName[candidate])
		return err
	})
	err = s.DB.SendBatch(ctx, batch)
	if errors.Is(err, pgx.ErrNoRows) {
		return profile{}, nil, problem.NotFound()
	}
	if err != nil {
		return profile{}, nil, fmt.Errorf("read candidates for residence %d: %w", residence, err)
	}
	return about, candidates, nil
}

// rankedAfter returns what follows the template with that id; everything for an id that is not among them. Templates in use are
// still there, so that a page begins where the last one ended though its tasks were made meanwhile.
func rankedAfter(all []ranked, id int64) []ranked {
	for i, r := range all {
		if r.ID == id {
			return all[i+1:]
		}
	}
	return all
}

func (r ranked) suggestion() Suggestion {
	return Suggestion{
		Template: r.template(), Fit: r.fit, Reasons: r.reasons,
		Task: ProposedTask{
			TemplateID: r.ID, Title: r.Title, Description: r.Description, CategoryID: r.CategoryID, PriorityID: r.PriorityID,
			FrequencyID: r.FrequencyID, Recurrence: shownRule{r.plan.rule}, DueDate: r.plan.due,
		},
	}
}

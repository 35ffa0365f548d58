package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A household is a home that is looked after for years: what its people do beyond the main job.
type household struct {
	owner, member, leaver *Person
	home                  int64
	seasonal, leavers     int64 // tasks: one for the warm months, one that the leaver was given
	dates                 []string
}

// Upkeep has people take up what is suggested for their home, skip, complete and take back, call a contractor, leave, take their
// data and delete their account. It returns an error about the first thing that is not as they expect.
func Upkeep(ctx context.Context, phone func() *Phone) error {
	h := &household{}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"move in", func(ctx context.Context) error { return h.moveIn(ctx, phone) }},
		{"plan", h.plan},
		{"preview", h.preview},
		{"skip", h.skip},
		{"complete and take back", h.takeBack},
		{"call a contractor", h.callContractor},
		{"leave", h.leave},
		{"export", h.export},
		{"delete the account", h.deleteAccount},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (h *household) moveIn(ctx context.Context, phone func() *Phone) (err error) {
	for name, p := range map[string]**Person{"Olive": &h.owner, "Max": &h.member, "Lou": &h.leaver} {
		if *p, err = Register(ctx, phone(), name); err != nil {
			return err
		}
	}
	if h.home, err = Share(ctx, h.owner, h.member, h.leaver); err != nil {
		return err
	}
	return h.owner.must(ctx, http.MethodPatch, fmt.Sprintf("/api/residences/%d/", h.home), map[string]any{"pool": true, "country": "US"}, http.StatusOK, nil)
}

// plan makes two tasks at once: the first one that is suggested, for the warm months alone, and one for the leaver.
func (h *household) plan(ctx context.Context) error {
	var suggestions struct {
		Results []struct {
			Reasons []string
			Task    map[string]any
		}
	}
	if err := h.owner.Read(ctx, fmt.Sprintf("/api/tasks/suggestions/?residence_id=%d", h.home), &suggestions); err != nil {
		return err
	}
	if len(suggestions.Results) == 0 || len(suggestions.Results[0].Reasons) == 0 {
		return errors.New("nothing is suggested, or nothing says why")
	}
	first := suggestions.Results[0].Task
	delete(first, "frequency_id")
	first["recurrence"] = map[string]any{"every": 1, "unit": "month", "season": map[string]any{"from": "04-01", "to": "10-31"}}
	first["due_date"] = fmt.Sprintf("%d-06-15", time.Now().Year()+1)
	var made struct {
		Tasks []struct {
			ID         int64
			TemplateID *float64 `json:"template_id"`
		}
	}
	err := h.owner.Create(ctx, "/api/tasks/bulk/", http.StatusCreated, map[string]any{"residence_id": h.home, "tasks": []any{
		first, map[string]any{"title": "Wax the canoe", "assigned_to_id": h.leaver.ID},
	}}, &made)
	if err != nil {
		return err
	}
	if len(made.Tasks) != 2 || made.Tasks[0].TemplateID == nil || *made.Tasks[0].TemplateID != first["template_id"] {
		return errors.New("the tasks are not the two that were sent, or their template is lost")
	}
	h.seasonal, h.leavers = made.Tasks[0].ID, made.Tasks[1].ID
	return nil
}

func (h *household) task(id int64) string { return fmt.Sprintf("/api/tasks/%d/", id) }

// preview reads the dates ahead, all of them in the warm months.
func (h *household) preview(ctx context.Context) error {
	var ahead struct {
		Occurrences []string
		IfSkipped   string `json:"if_skipped"`
	}
	const years = 2
	if err := h.member.Read(ctx, h.task(h.seasonal)+fmt.Sprintf("occurrences/?n=%d", 7*years), &ahead); err != nil {
		return err
	}
	h.dates = ahead.Occurrences
	cold := func(day string) bool { return day[len("2006-"):] < "04-01" || day[len("2006-"):] > "10-31" }
	if len(h.dates) != 7*years || slices.ContainsFunc(h.dates, cold) || !slices.IsSorted(h.dates) || ahead.IfSkipped != h.dates[1] {
		return fmt.Errorf("the dates ahead are %v, after skipping %s", h.dates, ahead.IfSkipped)
	}
	return nil
}

func (h *household) skip(ctx context.Context) error {
	var skipped struct {
		NextDueDate string `json:"next_due_date"`
	}
	err := h.member.Create(ctx, h.task(h.seasonal)+"skip/", http.StatusOK, map[string]any{"occurrence": h.dates[0], "notes": "It rained"}, &skipped)
	if err == nil && skipped.NextDueDate != h.dates[1] {
		err = fmt.Errorf("skipping %s led to %s, not to what the preview said", h.dates[0], skipped.NextDueDate)
	}
	return err
}

// takeBack completes a task that is in progress and takes that back, which leaves it exactly as it was.
func (h *household) takeBack(ctx context.Context) error {
	if err := h.member.must(ctx, http.MethodPost, h.task(h.seasonal)+"mark-in-progress/", nil, http.StatusOK, nil); err != nil {
		return err
	}
	var before, after map[string]any
	if err := h.member.Read(ctx, h.task(h.seasonal), &before); err != nil {
		return err
	}
	var done struct{ Completion struct{ ID int64 } }
	err := h.member.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": h.seasonal, "occurrence": h.dates[1]}, &done)
	if err != nil {
		return err
	}
	if err := h.member.must(ctx, http.MethodDelete, fmt.Sprintf("/api/task-completions/%d/", done.Completion.ID), nil, http.StatusNoContent, nil); err != nil {
		return err
	}
	if err := h.member.Read(ctx, h.task(h.seasonal), &after); err != nil {
		return err
	}
	ignored := func(field string, _ any) bool { return field == "updated_at" }
	maps.DeleteFunc(before, ignored)
	maps.DeleteFunc(after, ignored)
	if !reflect.DeepEqual(before, after) {
		return fmt.Errorf("the task was %v and is %v", before, after)
	}
	return nil
}

func (h *household) callContractor(ctx context.Context) error {
	var made struct{ ID int64 }
	err := h.member.Create(ctx, "/api/contractors/", http.StatusCreated, map[string]any{"residence_id": h.home, "name": "Joan Marsh"}, &made)
	if err != nil {
		return err
	}
	var changed struct {
		ContractorID int64 `json:"contractor_id"`
	}
	err = h.member.must(ctx, http.MethodPatch, h.task(h.seasonal), map[string]any{"contractor_id": made.ID}, http.StatusOK, &changed)
	if err == nil && changed.ContractorID != made.ID {
		err = errors.New("the task has another contractor")
	}
	return err
}

// leave takes the leaver off what they were given, and the history says so.
func (h *household) leave(ctx context.Context) error {
	path := fmt.Sprintf("/api/residences/%d/users/%d/", h.home, h.leaver.ID)
	if err := h.leaver.must(ctx, http.MethodDelete, path, nil, http.StatusNoContent, nil); err != nil {
		return err
	}
	var task struct {
		AssignedToID *int64 `json:"assigned_to_id"`
	}
	if err := h.owner.Read(ctx, h.task(h.leavers), &task); err != nil {
		return err
	}
	var history struct {
		Results []struct {
			Kind         string
			UnassignedID int64 `json:"unassigned_id"`
		}
	}
	if err := h.owner.Read(ctx, fmt.Sprintf("/api/task-completions/?task_id=%d", h.leavers), &history); err != nil {
		return err
	}
	if task.AssignedToID != nil || len(history.Results) != 1 || history.Results[0].Kind != "unassigned" || history.Results[0].UnassignedID != h.leaver.ID {
		return fmt.Errorf("the task is with %v, its history is %+v", task.AssignedToID, history.Results)
	}
	return nil
}

func (h *household) export(ctx context.Context) error {
	var held json.RawMessage
	if err := h.owner.Read(ctx, "/api/auth/export/", &held); err != nil {
		return err
	}
	for _, own := range []string{h.owner.Email, "Lake house", "Wax the canoe"} {
		if !strings.Contains(string(held), own) {
			return fmt.Errorf("%q is not in it", own)
		}
	}
	return nil
}

// deleteAccount passes the home on to the member who is left.
func (h *household) deleteAccount(ctx context.Context) error {
	if err := h.owner.must(ctx, http.MethodDelete, "/api/auth/account/", map[string]any{"password": Password}, http.StatusAccepted, nil); err != nil {
		return err
	}
	if err := h.owner.must(ctx, http.MethodGet, "/api/auth/me/", nil, http.StatusUnauthorized, nil); err != nil {
		return err
	}
	var home struct{ Role string }
	if err := h.member.Read(ctx, fmt.Sprintf("/api/residences/%d/", h.home), &home); err != nil {
		return err
	}
	if home.Role != "owner" {
		return errors.New("the member who is left is " + home.Role)
	}
	return h.member.Read(ctx, h.task(h.seasonal), nil)
}

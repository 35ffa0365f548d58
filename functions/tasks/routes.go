package main

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
)

// routes registers every operation.
func (s *service) routes(on huma.API) {
	signed := s.Auth.Group(on)

	api.Handle(signed, huma.Operation{
		Method: http.MethodPost, Path: "/api/tasks/", OperationID: "create-task", Tags: []string{"Tasks"}, DefaultStatus: http.StatusCreated,
		Summary: "Create a task", Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.createTask)
	api.Handle(signed, huma.Operation{
		Method: http.MethodPost, Path: "/api/tasks/bulk/", OperationID: "create-tasks", Tags: []string{"Tasks"}, DefaultStatus: http.StatusCreated,
		Summary: "Create up to 50 tasks of a home, all or none", Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.createTasks)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/search/", OperationID: "search-tasks", Tags: []string{"Tasks"},
		Summary: "Tasks in the homes of the caller, newest first", Description: "Also those that no board shows.",
	}, s.searchTasks)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/", OperationID: "get-board", Tags: []string{"Tasks"},
		Summary: "The board over all homes of the caller", Responses: answers[kanban](on), Description: boardDescription,
	}, s.getBoard)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/by-residence/{id}/", OperationID: "get-residence-board", Tags: []string{"Tasks"},
		Summary: "The board of one home", Responses: answers[kanban](on), Description: boardDescription, Errors: []int{http.StatusNotFound},
	}, s.getResidenceBoard)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/{id}/", OperationID: "get-task", Tags: []string{"Tasks"},
		Summary: "One task", Errors: []int{http.StatusNotFound},
	}, s.getTask)
	api.Handle(signed, huma.Operation{
		Method: http.MethodPatch, Path: "/api/tasks/{id}/", OperationID: "patch-task", Tags: []string{"Tasks"},
		Summary: "Change a task", Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "A new due_date is the next one due, and what a rhythm counts from. Another rhythm keeps next_due_date and counts from the next completion on; given to a task that is done, it counts from the last one. A task that was completed before keeps a due_date, since without one it counts as done. frequency_id and recurrence take each other's place.",
	}, s.patchTask)
	api.Handle(signed, huma.Operation{
		Method: http.MethodDelete, Path: "/api/tasks/{id}/", OperationID: "delete-task", Tags: []string{"Tasks"}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove a task and its history", Errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, s.deleteTask)

	api.Handle(signed, move("mark-in-progress", "Say that someone is at it", http.StatusConflict), s.moveTask(markInProgress))
	api.Handle(signed, move("clear-in-progress", "Say that nobody is at it"), s.moveTask(clearInProgress))
	api.Handle(signed, move("cancel", "Take a task off the board because it will not be done"), s.moveTask(cancel))
	api.Handle(signed, move("uncancel", "Put a cancelled task back"), s.moveTask(uncancel))
	api.Handle(signed, move("archive", "Put a task away"), s.moveTask(archive))
	api.Handle(signed, move("unarchive", "Put an archived task back"), s.moveTask(unarchive))

	api.Handle(signed, huma.Operation{
		Method: http.MethodPost, Path: "/api/tasks/{id}/skip/", OperationID: "skip-task", Tags: []string{"Tasks"}, DefaultStatus: http.StatusOK,
		Summary: "Pass what is due without doing it", Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "Leaves an entry in the history that is not a completion. 409, with the task as it is now in `current`, when another date is due " +
			"than `occurrence` says, or when nothing would follow.",
	}, s.skipTask)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/{id}/occurrences/", OperationID: "list-occurrences", Tags: []string{"Tasks"},
		Summary: "The dates that lie ahead, and what completing or skipping today would do", Errors: []int{http.StatusNotFound},
	}, s.listOccurrences)

	api.Handle(signed, huma.Operation{
		Method: http.MethodPost, Path: "/api/task-completions/", OperationID: "create-completion", Tags: []string{"Task completions"}, DefaultStatus: http.StatusCreated,
		Summary: "Complete a task", Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "Ends what is due, and says when the task is due next: by its rhythm, the first date counted from due_date behind the one that was due, " +
			"or behind the day of completing as well where missed is roll; with from completion, or without a due_date, counted from the day of completing. " +
			"A task without a rhythm is completed. " +
			"409, with the task as it is now in `current`, when another date is due than `occurrence` says, or when nothing is left to complete.",
	}, s.createCompletion)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/task-completions/", OperationID: "list-completions", Tags: []string{"Task completions"},
		Summary:     "The history of the homes of the caller, newest entry first",
		Description: "Also what was skipped, and whom a task was taken off: `kind` says which.",
	}, s.listCompletions)
	api.Handle(signed, huma.Operation{
		Method: http.MethodPatch, Path: "/api/task-completions/{id}/", OperationID: "patch-completion", Tags: []string{"Task completions"},
		Summary: "Correct an entry", Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "Does not move the date that the task is due next. 409, with the task in `current`, for what an entry of its kind does not have.",
	}, s.patchCompletion)
	api.Handle(signed, huma.Operation{
		Method: http.MethodDelete, Path: "/api/task-completions/{id}/", OperationID: "delete-completion", Tags: []string{"Task completions"}, DefaultStatus: http.StatusNoContent,
		Summary: "Take an entry back", Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "Puts the task back as it was before: what is due, its due_date and rhythm, whether someone was at it. What else was " +
			"changed meanwhile, such as its title or that it was cancelled, stays. Only the newest entry that ended something can go; an older one is 409, with the task in `current`.",
	}, s.deleteCompletion)

	api.Handle(on, huma.Operation{
		Method: http.MethodGet, Path: "/api/lookups/", OperationID: "get-lookups", Tags: []string{"Lookups"},
		Summary: "The lists to choose from", Responses: conditional(answers[lookups](on)),
		Description: "The same for everybody, so it needs no token. `If-None-Match` with the ETag of an earlier answer gives 304.",
	}, s.getLookups)
	s.templateRoutes(signed)
}

// move describes one of the calls that set or clear a mark of a task.
func move(verb, summary string, refusals ...int) huma.Operation {
	return huma.Operation{
		Method: http.MethodPost, Path: "/api/tasks/{id}/" + verb + "/", OperationID: "task-" + verb, Tags: []string{"Tasks"}, DefaultStatus: http.StatusOK,
		Summary: summary, Errors: append([]int{http.StatusForbidden, http.StatusNotFound}, refusals...),
	}
}

// answers documents a body of T for operations that write its bytes themselves.
func answers[T any](on huma.API) map[string]*huma.Response {
	typ := reflect.TypeFor[T]()
	schema := on.OpenAPI().Components.Schemas.Schema(typ, true, "")
	return map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}}
}

// conditional adds the answer to a caller who has the newest body.
func conditional(responses map[string]*huma.Response) map[string]*huma.Response {
	responses["304"] = &huma.Response{Description: http.StatusText(http.StatusNotModified)}
	return responses
}

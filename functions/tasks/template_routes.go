package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/page"
)

// templateRoutes registers what there is to choose from, for everybody and for a home.
func (s *service) templateRoutes(signed huma.API) {
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/templates/", OperationID: "list-templates", Tags: []string{"Templates"},
		Summary: "Maintenance to choose from", Responses: conditional(answers[page.List[Template]](signed)), Errors: []int{http.StatusInternalServerError},
		Description: "By category. The same for everybody, and the ETag changes only with the list.",
	}, s.listTemplates)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/templates/{id}/", OperationID: "get-template", Tags: []string{"Templates"},
		Summary: "One template", Responses: conditional(answers[Template](signed)), Errors: []int{http.StatusNotFound},
	}, s.getTemplate)
	api.Handle(signed, huma.Operation{
		Method: http.MethodGet, Path: "/api/tasks/suggestions/", OperationID: "list-suggestions", Tags: []string{"Templates"},
		Summary: "What a home may need, best first", Errors: []int{http.StatusNotFound},
		Description: "Ranked by the home's profile, the priority, and the season on the caller's date. Left out is what the profile contradicts, " +
			"of which the home has an open task (by template_id), and what is done once and was. Where the profile does not say whether " +
			"a template applies, it comes later and one of its reasons says what is missing.",
	}, s.listSuggestions)
}

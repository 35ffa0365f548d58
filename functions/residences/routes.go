package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/function"
)

// A service answers the calls of this function.
type service struct {
	*function.Base
	files *attach.Files
}

func newService(base *function.Base, photos *bucket.Bucket) *service {
	return &service{base, attach.NewFiles(base.DB, photos, base.Outbox)}
}

// routes lists every call. Whoever is no member of a home gets the 404 of what is not there.
func (s *service) routes(on huma.API) {
	const (
		get, post, patch, remove  = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
		forbidden, gone, conflict = http.StatusForbidden, http.StatusNotFound, http.StatusConflict
	)
	tags := []string{"Residences"}
	signed := s.Auth.Group(on)

	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/residences/", OperationID: "list-residences", Tags: tags,
		Summary: "The caller's homes",
	}, s.listResidences)
	api.Handle(signed, huma.Operation{
		Method: post, Path: "/api/residences/", OperationID: "create-residence", Tags: tags,
		Summary: "Add a home", DefaultStatus: http.StatusCreated, Errors: []int{conflict},
		Description: "The caller becomes its owner. A home made primary takes that from the other homes that the caller owns.",
	}, s.createResidence)
	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/residences/my/", OperationID: "list-my-residences", Tags: tags,
		Summary:     "The caller's homes, with what is to do in each",
		Description: "The summary counts each home's tasks by the columns of its board, on the caller's own date, with due soon meaning within 30 days.",
	}, s.listMyResidences)
	api.Handle(signed, huma.Operation{
		Method: post, Path: "/api/residences/join/", OperationID: "join-residence", Tags: tags,
		Summary: "Join a home with a share code", Errors: []int{gone, conflict},
		Description: "Case, spaces and dashes in the code do not matter. It lets one person in, as a member, and is then used up. " +
			"A caller who belongs to the home already gets the home, and the code stays good. A code that is wrong, used or expired " +
			"is 404. Ten tries an hour for a person, thirty for an address, whatever came of them.",
	}, s.joinResidence)
	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/residences/{id}/", OperationID: "get-residence", Tags: tags,
		Summary: "One home", Errors: []int{gone},
	}, s.getResidence)
	api.Handle(signed, huma.Operation{
		Method: patch, Path: "/api/residences/{id}/", OperationID: "change-residence", Tags: tags,
		Summary: "Change a home", Errors: []int{forbidden, gone},
		Description: "Only what is sent changes; null clears. Owner and members may, but only the owner decides whether the home is primary.",
	}, s.changeResidence)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/residences/{id}/", OperationID: "delete-residence", Tags: tags,
		Summary: "Delete a home", Errors: []int{forbidden, gone},
		Description: "Its tasks, their history and its contractors go with it. Only the owner may.",
	}, s.deleteResidence)
	api.Handle(signed, huma.Operation{
		Method: post, Path: "/api/residences/{id}/share/", OperationID: "share-residence", Tags: tags,
		Summary: "Make a share code", DefaultStatus: http.StatusCreated, Errors: []int{forbidden, gone},
		Description: "Only the owner may. A home has one code at most: a new one ends the old.",
	}, s.shareResidence)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/residences/{id}/share/", OperationID: "unshare-residence", Tags: tags,
		Summary: "End the share code", Errors: []int{forbidden, gone},
		Description: "Only the owner may. Without a code there is nothing to end, which is fine.",
	}, s.unshareResidence)
	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/residences/{id}/users/", OperationID: "list-residence-users", Tags: tags,
		Summary: "Who belongs to a home", Errors: []int{gone},
	}, s.listUsers)
	api.Handle(signed, huma.Operation{
		Method: patch, Path: "/api/residences/{id}/users/{user_id}/", OperationID: "change-residence-role", Tags: tags,
		Summary: "Change a member's role, or hand the home over", Errors: []int{forbidden, gone, conflict},
		Description: "Only the owner may. The role owner hands the home over: the caller becomes a member, the share code ends, and " +
			"the home is primary no more. An owner's own role changes in no other way: 409.",
	}, s.changeRole)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/residences/{id}/users/{user_id}/", OperationID: "remove-residence-user", Tags: tags,
		Summary: "Remove a member, or leave", Errors: []int{forbidden, gone, conflict},
		Description: "The owner removes anyone else, which also ends the share code; everybody else removes only themselves. The " +
			"person is taken off the tasks that were theirs, which their history tells. An owner hands the home over or deletes it before leaving: 409.",
	}, s.removeUser)
	s.contractorRoutes(signed)
}

func (s *service) contractorRoutes(signed huma.API) {
	const (
		get, post, patch, remove  = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
		forbidden, gone, conflict = http.StatusForbidden, http.StatusNotFound, http.StatusConflict
	)
	tags := []string{"Contractors"}

	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/contractors/", OperationID: "list-contractors", Tags: tags,
		Summary:     "Whom the caller's homes call",
		Description: "Oldest first. Of a home that the caller does not belong to there are none.",
	}, s.listContractors)
	api.Handle(signed, huma.Operation{
		Method: post, Path: "/api/contractors/", OperationID: "create-contractor", Tags: tags,
		Summary: "Add a contractor to a home", DefaultStatus: http.StatusCreated, Errors: []int{forbidden, gone, conflict},
		Description: "Everyone in the home sees them; owner and members may add, change and delete.",
	}, s.createContractor)
	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/contractors/{id}/", OperationID: "get-contractor", Tags: tags,
		Summary: "One contractor", Errors: []int{gone},
	}, s.getContractor)
	api.Handle(signed, huma.Operation{
		Method: patch, Path: "/api/contractors/{id}/", OperationID: "change-contractor", Tags: tags,
		Summary: "Change a contractor", Errors: []int{forbidden, gone},
		Description: "Only what is sent changes; null clears. specialty_ids replaces all of them.",
	}, s.changeContractor)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/contractors/{id}/", OperationID: "delete-contractor", Tags: tags,
		Summary: "Delete a contractor", Errors: []int{forbidden, gone},
		Description: "Tasks that named them stay, without a contractor.",
	}, s.deleteContractor)
}

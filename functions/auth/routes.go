package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
)

// routes registers every operation of the function.
func (s *service) routes(on huma.API) {
	const (
		get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
		accepted, empty          = http.StatusAccepted, http.StatusNoContent
	)
	signed := s.Auth.Group(on)

	api.Handle(on, operation(post, "register/", "register", "Make an account and sign in", "Sends a six-digit code to the address.", http.StatusCreated, http.StatusConflict), s.register)
	api.Handle(on, operation(post, "login/", "login", "Sign in", "Five failures for an account from one address within 15 minutes, or 30 within an hour over all accounts, and that address waits. 403 says that the password is right and the account disabled.", http.StatusOK, http.StatusUnauthorized, http.StatusForbidden), s.login)
	api.Handle(signed, operation(post, "logout/", "logout", "End this session", "", empty), s.logout)

	api.Handle(signed, operation(get, "me/", "get-me", "The caller's account", "", http.StatusOK), s.getMe)
	api.Handle(signed, operation(patch, "me/", "patch-me", "Change the caller's account", "Changes only what is sent.", http.StatusOK), s.patchMe)

	api.Handle(signed, operation(post, "verify-email/", "verify-email", "Prove an address with its code", "Takes the code of a new account and that of a change of address, which then takes effect. A code lives ten minutes, works once and may be tried five times.", http.StatusOK, http.StatusConflict), s.verifyEmail)
	api.Handle(signed, operation(post, "resend-verification/", "resend-verification", "Send a fresh code", "To each address of the caller that awaits proof; the code before it ends.", accepted), s.resendVerification)
	api.Handle(on, operation(post, "forgot-password/", "forgot-password", "Ask for a code that resets the password", "The answer is the same whether or not there is such an account.", accepted), s.forgotPassword)
	api.Handle(on, operation(post, "reset-password/", "reset-password", "Set a new password with a code", "Ends every session.", empty), s.resetPassword)
	api.Handle(signed, operation(post, "change-password/", "change-password", "Set a new password", "Ends every other session. A current password that is not right is 422, and counts as a failed login.", empty, http.StatusConflict), s.changePassword)
	api.Handle(signed, operation(post, "change-email/", "change-email", "Ask for another address", "Sends a code to the new address; the change takes effect with verify-email, and the old address is told.", accepted), s.changeEmail)

	api.Handle(signed, operation(get, "sessions/", "list-sessions", "Devices signed in", "Newest first.", http.StatusOK), s.listSessions)
	api.Handle(signed, operation(remove, "sessions/{id}/", "delete-session", "End one session", "", empty, http.StatusNotFound), s.deleteSession)
	api.Handle(signed, operation(remove, "sessions/", "delete-sessions", "End all other sessions", "", empty), s.deleteSessions)

	api.Handle(signed, operation(remove, "account/", "delete-account", "Delete the caller's account", "All of it at once, and for good. A home that others belong to passes to whoever of its members is there longest, to a viewer only when there is no member; tasks that the caller had become nobody's, and the history of such a home keeps what was done and not by whom. A home without others goes with everything in it. A password that is not right is 422, and counts as a failed login.", accepted, http.StatusConflict), s.deleteAccount)
	api.Handle(signed, exporting(operation(get, "export/", "get-export", "All that is held of the caller", "As a file of one JSON document. Of other people it has ids alone. Five an hour. An account that exceeds 64 MiB is 409.", http.StatusOK, http.StatusConflict)), s.getExport)
	s.notificationRoutes(on, signed)
}

func operation(method, path, id, summary, description string, status int, refusals ...int) huma.Operation {
	return huma.Operation{
		Method: method, Path: "/api/auth/" + path, OperationID: id, Summary: summary, Description: description,
		Tags: []string{"Auth"}, DefaultStatus: status, Errors: refusals,
	}
}

// exporting documents an answer whose type no handler has, since it is written row by row.
func exporting(op huma.Operation) huma.Operation {
	op.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: exportSchema()}},
	}}
	return op
}

package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
)

// notificationRoutes registers what people are told, where, and when. It is here since devices and preferences belong to accounts and
// end with sessions.
func (s *service) notificationRoutes(on, signed huma.API) {
	const (
		get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
		fine, empty, gone        = http.StatusOK, http.StatusNoContent, http.StatusNotFound
	)
	api.Handle(signed, notifying(get, "", "list-notifications", "What the caller was told", "Newest first, in words of now: a task that has another title by now is called by that. What is about a home that the caller does not belong to any more, or about a thing that is gone, is not in it.", fine), s.listNotifications)
	api.Handle(signed, notifying(post, "{id}/read/", "read-notification", "Mark one as read", "", empty, gone), s.readNotification)
	api.Handle(signed, notifying(post, "read-all/", "read-all-notifications", "Mark all as read", "All that there are at this moment; takes no body.", empty), s.readAllNotifications)

	api.Handle(signed, notifying(get, "devices/", "list-devices", "Devices that get pushes", "Newest first.", fine), s.listDevices)
	api.Handle(signed, notifying(post, "devices/", "register-device", "Have pushes sent to this device", "For as long as this session lives. The same token again keeps its id and changes the rest, so that a call may be repeated: it takes no Idempotency-Key. A token that another account had moves here, under a new id. Of more than 20 devices, the one that was registered longest ago goes.", http.StatusCreated), s.registerDevice)
	api.Handle(signed, notifying(remove, "devices/{id}/", "delete-device", "Send no more pushes to a device", "", empty, gone), s.deleteDevice)

	api.Handle(signed, notifying(get, "preferences/", "get-preferences", "What the caller wants to hear of, and when", "Mails about the account's own safety are always sent. The app's own list has everything.", fine), s.getPreferences)
	api.Handle(signed, notifying(patch, "preferences/", "change-preferences", "Change them", "Changes only what is sent, at every depth.", fine), s.changePreferences)

	api.Handle(on, unsubscribing(notifying(post, "unsubscribe/", "unsubscribe", "End the mails of one type, from a mail", "The one click of RFC 8058: neither signing in nor a redirect, and the body is not read, whatever its type. Answers 204, or a page to whoever accepts text/html. Opening the same address shows a page with a button, and changes nothing.", fine, gone)), s.unsubscribe)
	page := notifying(get, "unsubscribe/", "show-unsubscribe", "", "", fine)
	page.Hidden = true // for people
	api.Handle(on, page, s.showUnsubscribe)
}

func notifying(method, path, id, summary, description string, status int, refusals ...int) huma.Operation {
	return huma.Operation{
		Method: method, Path: "/api/notifications/" + path, OperationID: id, Summary: summary, Description: description,
		Tags: []string{"Notifications"}, DefaultStatus: status, Errors: refusals,
	}
}

// unsubscribing documents both answers.
func unsubscribing(op huma.Operation) huma.Operation {
	op.Responses = map[string]*huma.Response{
		"200": {
			Description: "Done, as a page",
			Content:     map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}},
		},
		"204": {Description: "Done"},
	}
	return op
}

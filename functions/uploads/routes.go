package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
)

// routes registers every operation. Whoever is no member of a home gets the 404 of what is not there.
func (s *service) routes(on huma.API) {
	const (
		get, post, remove         = http.MethodGet, http.MethodPost, http.MethodDelete
		forbidden, gone, conflict = http.StatusForbidden, http.StatusNotFound, http.StatusConflict
	)
	uploads, media := []string{"Uploads"}, []string{"Media"}
	signed := s.Auth.Group(on)

	api.Handle(signed, huma.Operation{
		Method: post, Path: "/api/uploads/presign/", OperationID: "presign-upload", Tags: uploads,
		Summary: "Ask for an address to send a photo or paper to", DefaultStatus: http.StatusCreated,
		Description: "Send the file with method to url within 15 minutes, straight to the bucket and without a token, and then name upload_id in the " +
			"upload_ids of what it belongs to. POST: a multipart form of all fields and, last, the file as `file`; its length may differ from content_length by " +
			"256 bytes. PUT: the bare file with all headers; its length is content_length. 50 addresses an hour, and at most 10 that wait for " +
			"being attached: giving one up makes room.",
	}, s.presignUpload)
	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/uploads/{id}/", OperationID: "get-upload", Tags: uploads,
		Summary: "How far one of the caller's uploads is", Errors: []int{gone},
		Description: "For whoever asked for its address, whatever it was attached to. 404 once it was given up or what it became is gone.",
	}, s.getUpload)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/uploads/{id}/", OperationID: "give-up-upload", Tags: uploads,
		Summary: "Give up an upload that waits", Errors: []int{gone, conflict},
		Description: "It is one of the ten no more; that it was asked for this hour stays counted. What is attached is deleted as media instead: 409.",
	}, s.giveUpUpload)

	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/media/{id}/", OperationID: "get-media", Tags: media,
		Summary: "Where to fetch a photo or paper", DefaultStatus: http.StatusFound, Errors: []int{gone, conflict, http.StatusGone},
		Description: "For members of its home. Location is an address in the bucket that works for 5 minutes, for anybody: follow it without the header " +
			"Authorization. The bucket answers with the type that was looked at and a Content-Disposition; X-Content-Type-Options only this answer has, since " +
			"no bucket can be told to send it. size=thumb is a picture in it of at most 512 pixels a side, or the whole one where none could be made, and of a paper the paper. " +
			"409, with Retry-After, while a photo is being cleaned; 410 for one that cannot be.",
	}, s.getMedia)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/media/{id}/", OperationID: "delete-media", Tags: media,
		Summary: "Delete a photo or paper", Errors: []int{forbidden, gone},
		Description: "Whatever it belongs to loses it. An address that was given out before works until its 5 minutes are over or the file is gone.",
	}, s.deleteMedia)
	s.documentRoutes(signed)
}

func (s *service) documentRoutes(signed huma.API) {
	const (
		get, post, patch, remove  = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
		forbidden, gone, conflict = http.StatusForbidden, http.StatusNotFound, http.StatusConflict
	)
	tags := []string{"Documents"}

	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/documents/", OperationID: "list-documents", Tags: tags,
		Summary:     "What the caller's homes keep, newest first",
		Description: "Of a home that the caller does not belong to there is nothing.",
	}, s.listDocuments)
	api.Handle(signed, huma.Operation{
		Method: post, Path: "/api/documents/", OperationID: "create-document", Tags: tags,
		Summary: "Add a document to a home", DefaultStatus: http.StatusCreated, Errors: []int{forbidden, gone, conflict},
		Description: "Everyone in the home sees it; owner and members may add, change and delete. upload_ids attaches all that it names, or nothing is done.",
	}, s.createDocument)
	api.Handle(signed, huma.Operation{
		Method: get, Path: "/api/documents/{id}/", OperationID: "get-document", Tags: tags,
		Summary: "One document", Errors: []int{gone},
	}, s.getDocument)
	api.Handle(signed, huma.Operation{
		Method: patch, Path: "/api/documents/{id}/", OperationID: "change-document", Tags: tags,
		Summary: "Change a document", Errors: []int{forbidden, gone},
		Description: "Only what is sent changes; null clears. upload_ids adds to the files, of which one goes by deleting it as media.",
	}, s.changeDocument)
	api.Handle(signed, huma.Operation{
		Method: remove, Path: "/api/documents/{id}/", OperationID: "delete-document", Tags: tags,
		Summary: "Delete a document", Errors: []int{forbidden, gone}, Description: "Its files go with it.",
	}, s.deleteDocument)
}

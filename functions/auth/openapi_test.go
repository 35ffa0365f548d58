package main

import (
	"testing"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// The document in the folder is that of the code.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newService(&function.Base{Auth: &authn.Authenticator{}}, code.Keys{})
	functiontest.File(t, "openapi.json", api.Document("auth", s.routes))
}

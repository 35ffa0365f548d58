package main

import (
	"testing"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// The document in the folder is that of the code.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	functiontest.File(t, "openapi.json", api.Document("site", newService(nil, nil, settings{}).routes))
}

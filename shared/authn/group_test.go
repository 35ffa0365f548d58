package authn_test

import (
	"context"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
)

func TestGroupDocumentsItsHeaderOnce(t *testing.T) {
	t.Parallel()
	document := api.Document("tests", func(on huma.API) {
		group := (&authn.Authenticator{}).Group(on)
		api.Handle(group, huma.Operation{Method: "GET", Path: "/api/notes/", OperationID: "list-notes"},
			func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	})
	operation := document.Paths["/api/notes/"].Get
	require.Len(t, operation.Parameters, 1)
	require.Equal(t, "X-Timezone", operation.Parameters[0].Name)
	require.Equal(t, []map[string][]string{{"token": {}}}, operation.Security)
	require.Contains(t, operation.Responses, "401")
}

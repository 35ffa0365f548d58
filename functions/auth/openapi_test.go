package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/function"
)

var update = flag.Bool("update", false, "rewrite openapi.json")

// The document in the folder is that of the code.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newService(&function.Base{Auth: &authn.Authenticator{}}, nil)
	encoded, err := json.Marshal(api.Document("auth", s.routes))
	require.NoError(t, err)
	var sorted any
	require.NoError(t, json.Unmarshal(encoded, &sorted))
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(sorted))
	if *update {
		require.NoError(t, os.WriteFile("openapi.json", want.Bytes(), 0o600))
	}
	have, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	require.Equal(t, want.String(), string(have), "go test -run TestOpenAPI -update")
}

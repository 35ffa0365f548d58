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

var update = flag.Bool("update", false, "rewrite openapi.json instead of comparing")

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := &service{&function.Base{Auth: &authn.Authenticator{}}}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(api.Document("residences", s.routes)))
	if *update {
		require.NoError(t, os.WriteFile("openapi.json", text.Bytes(), 0o600))
	}
	stands, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	require.Equal(t, text.String(), string(stands), "openapi.json is not what the code says: run go test -run TestOpenAPI -update")
}

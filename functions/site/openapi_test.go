package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
)

var update = flag.Bool("update", false, "rewrite openapi.json and merged.json instead of comparing")

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	requireFile(t, "openapi.json", api.Document("site", (&service{}).routes))
}

// requireFile compares a document with the file that holds it, or rewrites the file.
func requireFile(t *testing.T, name string, document any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(document))
	if *update {
		require.NoError(t, os.WriteFile(name, text.Bytes(), 0o600))
	}
	stands, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, text.String(), string(stands), "%s is not what the code says: run make generate", name)
}

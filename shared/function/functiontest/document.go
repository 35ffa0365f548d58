package functiontest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// update is go test -update: the files that tests compare with are rewritten.
var update = flag.Bool("update", false, "rewrite the files that are compared with the code")

// File compares document, as indented JSON with sorted keys, with the file of that name, or rewrites the file.
func File(t testing.TB, name string, document any) {
	t.Helper()
	encoded, err := json.Marshal(document)
	require.NoError(t, err)
	var sorted any
	require.NoError(t, json.Unmarshal(encoded, &sorted))
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(sorted))
	if *update {
		require.NoError(t, os.WriteFile(name, want.Bytes(), 0o600))
	}
	have, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, want.String(), string(have), "%s is not what the code says: run make generate", name)
}

package tests

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// withoutKey are the creating calls that take no Idempotency-Key, since their answer is a secret that is kept nowhere in clear, or
// since they are the same however often they are made.
func withoutKey() map[string]string {
	return map[string]string{
		"register":        "answers with a token",
		"share-residence": "answers with a code",
		"presign-upload":  "answers with a signed address",
		"register-device": "has one device for one token",
	}
}

type creating struct {
	OperationID string
	Parameters  []struct{ Name, In string }
	Responses   map[string]struct{ Headers map[string]any }
}

// TestEveryCreatingCallTakesAKey reads what all functions document, in their folders.
func TestEveryCreatingCallTakesAKey(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob("../functions/*/openapi.json")
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	exceptions, taking := withoutKey(), 0
	for _, name := range documents {
		encoded, err := os.ReadFile(name)
		require.NoError(t, err)
		var document struct {
			Paths map[string]map[string]creating
		}
		require.NoError(t, json.Unmarshal(encoded, &document), name)
		for path, methods := range document.Paths {
			for method, call := range methods {
				created, creates := call.Responses["201"]
				takes := slices.ContainsFunc(call.Parameters, func(p struct{ Name, In string }) bool {
					return p.Name == "Idempotency-Key" && p.In == "header"
				})
				if reason, ok := exceptions[call.OperationID]; ok {
					require.False(t, takes, "%s takes a key although it %s", call.OperationID, reason)
					require.True(t, creates, "%s creates nothing: it needs no exception", call.OperationID)
					delete(exceptions, call.OperationID)
					continue
				}
				if method == "post" && creates {
					require.True(t, takes, "POST %s takes no Idempotency-Key", path)
					require.Contains(t, created.Headers, "Idempotent-Replay", "POST %s", path)
				}
				if takes {
					taking++
					require.Contains(t, call.Responses, "409", "%s %s: the first may still be running", method, path)
					require.Contains(t, call.Responses, "422", "%s %s: the key may come with another body", method, path)
				}
			}
		}
	}
	require.Empty(t, slices.Collect(maps.Keys(exceptions)), "no such calls")
	require.GreaterOrEqual(t, taking, 4)
}

package main

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// cutSeed is go test -cutseed: the cuts of an earlier run again.
var cutSeed = flag.Uint64("cutseed", 0, "draw the cuts of TestCommitsThatAreCut from this seed")

// TestCommitsThatAreCut: whatever becomes of the connection to PostgreSQL, every document is there once with its files, and
// the bucket has every one of them.
func TestCommitsThatAreCut(t *testing.T) {
	t.Parallel()
	const documents = 60
	b := setup(t)
	var plots []functiontest.Plot
	for i := range documents {
		plots = append(plots, b.plot(t, i))
	}
	functiontest.CheckCuts(t, b.Server, name, handlers(b.store), plots, *cutSeed)
	require.Equal(t, documents, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_document`))
	require.Equal(t, documents, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM pending_uploads WHERE state = 'attached'`))
	keys := functiontest.Value[[]string](t, b.Server, `SELECT array_agg(object_key) FROM upload_media WHERE document_id IS NOT NULL`)
	require.Len(t, keys, documents)
	for _, key := range keys {
		_, err := b.store.Stat(t.Context(), key+"/original")
		require.NoError(t, err)
	}
}

// plot is a member who adds a document with a paper that was sent.
func (b *bundle) plot(t testing.TB, i int) functiontest.Plot {
	t.Helper()
	p := b.Person(t, fmt.Sprintf("cut-%d", i))
	at := b.Home(t, b.ann)
	b.Join(t, at, p, home.Member)
	id := b.upload(t, p, "document_file", pdf, paper())
	return functiontest.Plot{
		Name: "document", Person: p.ID, Token: p.Token, Path: documentsPath, Shown: documentsPath, Home: at,
		Body: object{"residence_id": at, "title": "Heater", "document_type": "manual", "upload_ids": []int64{id}},
	}
}

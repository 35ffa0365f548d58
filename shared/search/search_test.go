package search_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/search"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

func TestEveryCharacterMeansItself(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, devtest.New(t).OwnerURL())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(ctx)) })
	for _, c := range []struct {
		text, in string
		want     bool
	}{
		{" gutter ", "Clean the GUTTERS", true},
		{"gutters clean", "Clean the GUTTERS", true},
		{"roof clean", "Clean the GUTTERS", true},
		{"clean porch", "Clean the GUTTERS", false},
		{" \t ", "anything", true},
		{"übel", "ÜBELSTAND", true},
		{"100%", "100% done", true},
		{"100%", "1000 things", false},
		{"a_b", "a_b", true},
		{"a_b", "axb", false},
		{`\`, `C:\home`, true},
		{`\`, "no such thing", false},
	} {
		patterns, err := search.Patterns("q", c.text)
		require.NoError(t, err)
		var found bool
		require.NoError(t, conn.QueryRow(ctx, `SELECT `+search.Match("$2", "$1::text", "'the roof'"), c.in, patterns).Scan(&found))
		require.Equal(t, c.want, found, "%q in %q", c.text, c.in)
	}
}

func TestRefusedTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a\x00b", "\xff"} {
		_, err := search.Patterns("q", text)
		var refused *problem.Problem
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "query.q", refused.Errors[0].Location)
	}
}

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
		{"übel", "ÜBELSTAND", true},
		{"100%", "100% done", true},
		{"100%", "1000 things", false},
		{"a_b", "a_b", true},
		{"a_b", "axb", false},
		{`\`, `C:\home`, true},
		{`\`, "no such thing", false},
	} {
		pattern, err := search.Pattern("q", c.text)
		require.NoError(t, err)
		var found bool
		require.NoError(t, conn.QueryRow(ctx, `SELECT $1::text ILIKE `+search.Like("$2"), c.in, pattern).Scan(&found))
		require.Equal(t, c.want, found, "%q in %q", c.text, c.in)
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	pattern, err := search.Pattern("q", " \t ")
	require.NoError(t, err)
	require.Empty(t, pattern)
	for _, text := range []string{"a\x00b", "\xff"} {
		_, err := search.Pattern("q", text)
		var refused *problem.Problem
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "query.q", refused.Errors[0].Location)
	}
}

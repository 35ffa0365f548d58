package page_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/page"
)

func TestPages(t *testing.T) {
	t.Parallel()
	id := func(n int64) int64 { return n }
	first := page.Of([]int64{3, 5, 9}, 2, id)
	require.Equal(t, []int64{3, 5}, first.Results)
	require.NotNil(t, first.NextCursor)
	after, err := page.Query{Cursor: *first.NextCursor}.After()
	require.NoError(t, err)
	require.EqualValues(t, 5, after)
	last := page.Of([]int64{9}, 2, id)
	require.Nil(t, last.NextCursor)
	require.NotNil(t, page.Of(nil, 2, id).Results)
	for _, cursor := range []string{"!", "bm9uc2Vuc2U", "LTE", "MA"} {
		_, err := page.Query{Cursor: cursor}.After()
		require.Error(t, err, cursor)
	}
}

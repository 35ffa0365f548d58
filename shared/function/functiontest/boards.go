package functiontest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/cache"
)

// KeepBoards stores a board for each person and returns a function that says whether it is still to be had.
func (s *Server) KeepBoards(t *testing.T, people ...Person) func(Person) bool {
	t.Helper()
	ctx := context.Background()
	kept := func(p Person) bool {
		board, _ := s.Base.Cache.Board(ctx, cache.View{User: p.ID, Name: "test"})
		return board != nil
	}
	for _, p := range people {
		// A busy machine may let a try run out of its few milliseconds, after which the cache waits out its marker.
		require.Eventually(t, func() bool {
			s.Base.Cache.Born(ctx, p.ID)
			_, store := s.Base.Cache.Board(ctx, cache.View{User: p.ID, Name: "test"})
			store(ctx, []byte("board"))
			return kept(p)
		}, 30*time.Second, 10*time.Millisecond)
	}
	return kept
}

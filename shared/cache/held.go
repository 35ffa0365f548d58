package cache

import (
	"bytes"
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// A process holds one board for each of so many sessions. None of them is larger, in bytes: together they take at most 16 MiB. What is
// held of a session that has ended stays until others need its place, and nobody gets it: no token leads there.
const (
	holdings       = 256
	largestHolding = 64 << 10
)

// A holding is the board that was sent last to a session, and the generation that it was kept under.
type holding struct {
	view       View
	generation string
	board      []byte
	until      time.Time // when Redis forgets it
}

// seen is what the question for a request's token told of the boards of whoever has the token.
type seen struct {
	token      string // its key; empty before it was asked for
	generation string // the one that stood alone; empty when it is not known, or nobody may read
	held       holding
}

type seenKey struct{}

// OfRequest returns the context of a request, in which the question for its token answers the one for a board as well, when this
// process holds one. What was seen so holds until the request marks boards of its own.
func OfRequest(ctx context.Context) context.Context {
	return context.WithValue(ctx, seenKey{}, &seen{})
}

// seenIn returns what the request of ctx has seen. It is nil for a context that is not of a request.
func seenIn(ctx context.Context) *seen {
	s, _ := ctx.Value(seenKey{}).(*seen)
	return s
}

// unsee has the request of ctx ask again: it is about to change what it saw.
func unsee(ctx context.Context) {
	if s := seenIn(ctx); s != nil {
		s.generation = ""
	}
}

// generationOf returns the generation of user that was seen, or nothing.
func (s *seen) generationOf(user int64) string {
	if s == nil || s.held.view.User != user {
		return ""
	}
	return s.generation
}

// board returns what is held of view if that is still what Redis has.
func (s *seen) board(view View) []byte {
	if s.generationOf(view.User) == "" || s.generation != s.held.generation || s.held.view != view || !time.Now().Before(s.held.until) {
		return nil
	}
	return s.held.board
}

// hold keeps a board for the next request with the token of this one.
func (c *Cache) hold(s *seen, view View, k kept) {
	if s != nil && s.token != "" && len(k.board) <= largestHolding && k.life > 0 {
		c.held.Add(s.token, holding{view, k.generation, bytes.Clone(k.board), time.Now().Add(k.life)})
	}
}

// look asks for a token, and together with it, where the process holds a board for the session, for the generation of that.
func (c *Cache) look(ctx context.Context, token string) ([]byte, error) {
	s := seenIn(ctx)
	if s == nil {
		return c.redis.Get(ctx, token).Bytes()
	}
	s.token = token
	held, ok := c.held.Get(token)
	if !ok {
		return c.redis.Get(ctx, token).Bytes()
	}
	var found *redis.StringCmd
	var fields *redis.MapStringStringCmd
	// That there is no such token is no reason to know nothing of the boards.
	_, _ = c.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		found, fields = p.Get(ctx, token), p.HGetAll(ctx, generationKey(held.view.User))
		return nil
	})
	// A marker stands beside the generation; whether it has ended is for the script to say. Half an answer says nothing.
	if fields.Err() == nil && len(fields.Val()) == 1 {
		s.held, s.generation = held, fields.Val()["g"]
	}
	return found.Bytes()
}

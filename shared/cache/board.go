package cache

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A View is one person's board as one local date, scope and threshold show it.
type View struct {
	User int64
	Name string // everything else that the board depends on, such as 2026-11-21:all:30
}

// key is where a board is stored under a generation.
func (v View) key(generation string) string { return v.prefix() + generation + v.suffix() }

func (v View) prefix() string { return "tasks:user:" + strconv.FormatInt(v.User, 10) + ":" }
func (v View) suffix() string { return ":" + v.Name }

// Board returns the stored bytes of view, which nobody may change. When there are none, store keeps the ones that the caller reads
// from the database after this call; it is never nil and may do nothing.
func (c *Cache) Board(ctx context.Context, view View) (board []byte, store func(ctx context.Context, board []byte)) {
	seen := seenIn(ctx)
	if board := seen.board(view); board != nil {
		return board, func(context.Context, []byte) {}
	}
	k, answered := c.ask(ctx, view, seen.generationOf(view.User))
	if !answered || k.generation == "" {
		return nil, func(context.Context, []byte) {}
	}
	if k.board != nil {
		c.hold(seen, view, k)
		return k.board, func(context.Context, []byte) {}
	}
	return nil, func(ctx context.Context, board []byte) {
		if c.reading(ctx, "store board", func(ctx context.Context) error {
			return c.redis.Set(ctx, view.key(k.generation), board, boardLife).Err()
		}) {
			c.hold(seen, view, kept{k.generation, board, boardLife})
		}
	}
}

// kept is what Redis has of a view: the generation, empty while nobody may read or store, and the board under it, nil for none.
type kept struct {
	generation string
	board      []byte
	life       time.Duration // that is left to the board
}

// ask returns what Redis has of view, by a generation that was seen in the same request, or by whichever there is when that is empty.
func (c *Cache) ask(ctx context.Context, view View, generation string) (k kept, answered bool) {
	if generation == "" {
		answered = c.reading(ctx, "read board", func(ctx context.Context) error {
			answer, err := readScript.Run(ctx, c.redis, []string{generationKey(view.User)}, c.markerLife(), rand.Text(), view.prefix(), view.suffix()).Slice()
			if err == nil && len(answer) == 3 {
				k.generation, _ = answer[0].(string)
				life, _ := answer[2].(int64)
				if board, ok := answer[1].(string); ok {
					k.board, k.life = []byte(board), time.Duration(life)*time.Millisecond
				}
			}
			return err
		})
		return k, answered
	}
	k.generation = generation
	answered = c.reading(ctx, "read board", func(ctx context.Context) error {
		var board *redis.StringCmd
		var life *redis.DurationCmd
		_, err := c.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			board, life = p.Get(ctx, view.key(generation)), p.PTTL(ctx, view.key(generation))
			return nil
		})
		if err == nil {
			k.board, err = board.Bytes()
			k.life = life.Val()
		}
		return err
	})
	return k, answered
}

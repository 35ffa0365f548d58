package cache

import (
	"context"
	"encoding/base64"

	"github.com/redis/go-redis/v9"
)

// revoked stands where a token's look-up was until every reader that saw the token alive has given up.
const revoked = "-"

func tokenKey(hash []byte) string { return "token:" + base64.RawURLEncoding.EncodeToString(hash) }

// Token returns what was kept of the token with that hash, or nil. store keeps what the database says; it does
// nothing for a token that was revoked meanwhile.
func (c *Cache) Token(ctx context.Context, hash []byte) (found []byte, store func(ctx context.Context, value []byte)) {
	key := tokenKey(hash)
	answered := c.reading(ctx, "read token", func(ctx context.Context) error {
		var err error
		found, err = c.look(ctx, key)
		return err
	})
	if !answered || string(found) == revoked {
		return nil, func(context.Context, []byte) {}
	}
	return found, func(ctx context.Context, value []byte) {
		c.reading(ctx, "store token", func(ctx context.Context) error {
			return c.redis.SetNX(ctx, key, value, tokenLife).Err()
		})
	}
}

// Revoke forgets the tokens with these hashes, and keeps readers that still hold an older answer from storing
// it. It is called before the commit that ends them and again after it.
func (c *Cache) Revoke(ctx context.Context, hashes ...[]byte) {
	if len(hashes) == 0 {
		return
	}
	c.writing(ctx, "revoke tokens", func(ctx context.Context) error {
		_, err := c.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, hash := range hashes {
				p.Set(ctx, tokenKey(hash), revoked, tokenLife)
			}
			return nil
		})
		return err
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/honeydue/backend/tests/bench/world"
)

// warm asks for everybody's board until the cache has it, and their tokens. It keeps nothing of people whom it has never seen until
// a writer would have come to its end.
func (b *bench) warm(ctx context.Context, p *world.Process) error {
	db, err := b.cache()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for range 30 {
		if err := kept(p, homes).repeat(ctx, homes); err != nil {
			return err
		}
		texts, err := texts(ctx, db)
		if err != nil {
			return err
		}
		if len(texts) >= 2*homes {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return errors.New("the cache does not keep boards")
}

func (b *bench) cache() (*redis.Client, error) {
	options, err := redis.ParseURL(b.Redis.URL(0))
	if err != nil {
		return nil, fmt.Errorf("read address of Redis: %w", err)
	}
	return redis.NewClient(options), nil
}

// texts returns the keys of all plain values: tokens and boards, and no generation of a person's boards.
func texts(ctx context.Context, db *redis.Client) (keys []string, err error) {
	found := db.ScanType(ctx, 0, "*", 1000, "string").Iterator()
	for found.Next(ctx) {
		keys = append(keys, found.Val())
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("list what is kept: %w", err)
	}
	// A scan may come upon a key twice.
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// forget has the cache forget all boards, as if their time were over.
func (b *bench) forget(ctx context.Context) error {
	db, err := b.cache()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	keys, err := texts(ctx, db)
	if err != nil || len(keys) == 0 {
		return err
	}
	if err := db.Unlink(ctx, keys...).Err(); err != nil {
		return fmt.Errorf("forget what is kept: %w", err)
	}
	return nil
}

// keep puts the bytes of the first home's board under key.
func (b *bench) keep(ctx context.Context, p *world.Process, key string) error {
	req, err := boardOf(ctx, p, 0, usualThreshold)
	if err != nil {
		return err
	}
	c, transport := client()
	defer transport.CloseIdleConnections()
	res, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("ask for board: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	board, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" {
		return fmt.Errorf("ask for board: answered %d: %w", res.StatusCode, err)
	}
	db, err := b.cache()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.Set(ctx, key, board, 0).Err()
}

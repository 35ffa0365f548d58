package main

import (
	"context"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
)

// A session is a device that is signed in.
type session struct {
	ID         int64     `json:"id" example:"12"`
	DeviceName string    `json:"device_name" example:"Ann's iPhone"`
	Current    bool      `json:"current" doc:"Whether this call was made with it"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"Within an hour"`
	ExpiresAt  time.Time `json:"expires_at"`
}

type listSessionsInput struct{ page.Query }

type listSessionsOutput struct{ Body page.List[session] }

func (s *service) listSessions(ctx context.Context, in *listSessionsInput) (*listSessionsOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	me := authn.User(ctx)
	rows, err := pg.All[session](ctx, s.DB, selectSessions, me.ID, me.SessionID, after, in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		r.CreatedAt, r.LastUsedAt, r.ExpiresAt = r.CreatedAt.UTC(), r.LastUsedAt.UTC(), r.ExpiresAt.UTC()
	}
	return &listSessionsOutput{page.Of(rows, in.Limit, func(r session) int64 { return r.ID })}, nil
}

const selectSessions = `
SELECT id, device_name, id = $2::bigint AS current, created_at, last_used_at, expires_at
FROM auth_session
WHERE user_id = $1 AND expires_at > now() AND ($3::bigint = 0 OR id < $3::bigint)
ORDER BY id DESC LIMIT $4`

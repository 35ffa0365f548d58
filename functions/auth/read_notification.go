package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/problem"
)

type readNotificationInput struct {
	ID int64 `path:"id" minimum:"1" example:"512"`
}

// What was read stays read since then.
const updateRead = `
UPDATE notification_message SET read_at = coalesce(read_at, now()) WHERE id = $1 AND user_id = $2 AND channel = 'app'`

func (s *service) readNotification(ctx context.Context, in *readNotificationInput) (*struct{}, error) {
	tag, err := s.DB.Exec(ctx, updateRead, in.ID, authn.User(ctx).ID)
	if err != nil {
		return nil, fmt.Errorf("mark notification %d as read: %w", in.ID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, problem.NotFound()
	}
	return &struct{}{}, nil
}

const updateAllRead = `
UPDATE notification_message SET read_at = now() WHERE user_id = $1 AND channel = 'app' AND read_at IS NULL`

func (s *service) readAllNotifications(ctx context.Context, _ *struct{}) (*struct{}, error) {
	if _, err := s.DB.Exec(ctx, updateAllRead, authn.User(ctx).ID); err != nil {
		return nil, fmt.Errorf("mark notifications as read: %w", err)
	}
	return &struct{}{}, nil
}

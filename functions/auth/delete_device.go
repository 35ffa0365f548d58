package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/problem"
)

type deleteDeviceInput struct {
	ID int64 `path:"id" minimum:"1" example:"31"`
}

const deleteDevice = `DELETE FROM auth_device WHERE id = $1 AND user_id = $2`

func (s *service) deleteDevice(ctx context.Context, in *deleteDeviceInput) (*struct{}, error) {
	tag, err := s.DB.Exec(ctx, deleteDevice, in.ID, authn.User(ctx).ID)
	if err != nil {
		return nil, fmt.Errorf("delete device %d: %w", in.ID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, problem.NotFound()
	}
	return &struct{}{}, nil
}

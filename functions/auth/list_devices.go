package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
)

type listDevicesInput struct{ page.Query }

type listDevicesOutput struct{ Body page.List[device] }

func (s *service) listDevices(ctx context.Context, in *listDevicesInput) (*listDevicesOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	me := authn.User(ctx)
	rows, err := pg.All[device](ctx, s.DB, selectDevices, me.SessionID, me.ID, after, in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return &listDevicesOutput{page.Of(rows, in.Limit, func(d device) int64 { return d.ID })}, nil
}

const selectDevices = `
SELECT ` + deviceColumns + `
FROM auth_device d
WHERE d.user_id = $2 AND ($3::bigint = 0 OR d.id < $3::bigint)
ORDER BY d.id DESC LIMIT $4`

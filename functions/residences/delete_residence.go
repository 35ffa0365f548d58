package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
)

func (s *service) deleteResidence(ctx context.Context, in *ResidencePath) (*struct{}, error) {
	me := authn.User(ctx).ID
	may := func(all members) error {
		access, err := all.access(me, in.ID)
		if err != nil {
			return err
		}
		return access.MayAdminister()
	}
	err := s.administer(ctx, in.ID, may, func(tx *pg.Tx, _ members) error {
		tx.Queue(deleteResidence, in.ID)
		return nil
	})
	return nil, err
}

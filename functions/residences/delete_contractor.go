package main

import (
	"context"

	"github.com/honeydue/backend/shared/pg"
)

func (s *service) deleteContractor(ctx context.Context, in *ContractorPath) (*struct{}, error) {
	err := s.workOnContractor(ctx, in.ID, func(tx *pg.Tx, stored Contractor) error {
		tx.Queue(deleteContractor, stored.ID)
		return nil
	})
	return nil, err
}

package main

import (
	"context"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

func (s *service) removeUser(ctx context.Context, in *UserPath) (*struct{}, error) {
	me := authn.User(ctx).ID
	may := func(all members) error {
		access, err := all.access(me, in.ID)
		if err != nil {
			return err
		}
		if in.UserID == me {
			return mayLeave(access)
		}
		if err := access.MayAdminister(); err != nil {
			return err
		}
		if _, ok := all.find(in.UserID); !ok {
			return problem.NotFound()
		}
		return nil
	}
	err := s.administer(ctx, in.ID, may, func(tx *pg.Tx, _ members) error {
		tx.Queue(tellUnassigned, in.ID, in.UserID, me, authn.Today(ctx, s.Now()))
		tx.Queue(unassignTasks, in.ID, in.UserID)
		tx.Queue(deleteMember, in.ID, in.UserID)
		if in.UserID != me {
			// A code that they may have been given must not let them in again.
			tx.Queue(deleteCode, in.ID)
		}
		return s.Outbox.Append(ctx, tx, events.MemberRemoved{ResidenceID: in.ID, UserID: in.UserID, ActorID: me})
	})
	return nil, err
}

// mayLeave refuses the owner, without whom nobody could administer the home.
func mayLeave(access home.Access) error {
	if access.Role == home.Owner {
		return problem.Conflict("A home needs an owner: hand it over first, or delete it.", nil)
	}
	return nil
}

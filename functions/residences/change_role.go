package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// UserPath names someone who belongs to a home.
type UserPath struct {
	ResidencePath
	UserID int64 `path:"user_id" minimum:"1" example:"12"`
}

type changeRoleInput struct {
	UserPath
	Body struct {
		Role home.Role `json:"role" enum:"owner,member,viewer" example:"viewer"`
	}
}

type userOutput struct{ Body Member }

func (s *service) changeRole(ctx context.Context, in *changeRoleInput) (*userOutput, error) {
	me, role := authn.User(ctx).ID, in.Body.Role
	may := func(all members) error {
		access, err := all.access(me, in.ID)
		if err != nil {
			return err
		}
		if err := access.MayAdminister(); err != nil {
			return err
		}
		if _, ok := all.find(in.UserID); !ok {
			return problem.NotFound()
		}
		if in.UserID == me && role != home.Owner {
			return problem.Conflict("A home needs an owner: make someone else the owner, and you become a member.", nil)
		}
		return nil
	}
	var user Member
	err := s.administer(ctx, in.ID, may, func(tx *pg.Tx, _ members) (err error) {
		if user, err = pg.One[Member](ctx, tx, selectUser, in.ID, in.UserID); err != nil {
			return fmt.Errorf("read user %d of residence %d: %w", in.UserID, in.ID, err)
		}
		if user.Role == role {
			return nil
		}
		if role == home.Owner {
			handOver(tx, in.ID, me)
		}
		tx.Queue(updateRole, in.ID, in.UserID, string(role))
		user.Role = role
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &userOutput{user}, nil
}

// handOver takes a home from owner. What the owner alone had decided goes: who is let in by a code that the next owner
// knows nothing of, and that the home was the first of the owner's.
func handOver(tx *pg.Tx, id, owner int64) {
	tx.Queue(updateRole, id, owner, string(home.Member))
	tx.Queue(clearPrimary, id)
	tx.Queue(deleteCode, id)
}

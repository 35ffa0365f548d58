package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/pg"
)

// changePending is for how long a change of address that was not proved can be sent another code.
const changePending = time.Hour

func (s *service) resendVerification(ctx context.Context, _ *struct{}) (*struct{}, error) {
	me := authn.User(ctx).ID
	if _, err := s.allow(ctx, codesOfPerson.By(strconv.FormatInt(me, 10))); err != nil {
		return nil, err
	}
	wanted, err := pg.All[wantedCode](ctx, s.DB, selectWantedCodes, me, changePending.Seconds())
	if err != nil {
		return nil, fmt.Errorf("look up what awaits proof: %w", err)
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		for _, w := range wanted {
			if err := s.sendVerification(ctx, tx, me, w.Purpose, w.NewEmail); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("resend verification: %w", signedOut(err))
	}
	return &struct{}{}, nil
}

// A wantedCode is for an address that awaits proof.
type wantedCode struct {
	Purpose  string
	NewEmail *string
}

const selectWantedCodes = `
SELECT '` + code.ForVerifyEmail + `' AS purpose, NULL::text AS new_email FROM auth_user WHERE id = $1 AND email_verified_at IS NULL
UNION ALL
SELECT purpose, new_email FROM (
    SELECT purpose, new_email, used_at, created_at FROM auth_code
    WHERE user_id = $1 AND purpose = '` + code.ForChangeEmail + `' ORDER BY id DESC LIMIT 1
) newest WHERE used_at IS NULL AND created_at > now() - make_interval(secs => $2::float8)`

// sendVerification issues a code in tx and has it sent.
func (s *service) sendVerification(ctx context.Context, tx *pg.Tx, person int64, purpose string, newEmail *string) error {
	id, err := code.Issue(ctx, tx, person, purpose, newEmail)
	if err != nil {
		return err
	}
	return s.Outbox.Append(ctx, tx, events.UserVerificationRequested{UserID: person, CodeID: id})
}

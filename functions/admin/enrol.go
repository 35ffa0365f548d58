package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// enrolmentLife is how long the link of an enrolment works.
const enrolmentLife = 24 * time.Hour

// minPassword is how long an operator's password is at least.
const minPassword = 12

// A newcomer is an operator who has a link and no password yet.
type newcomer struct {
	ID    int64
	Email string
}

const selectNewcomer = `
SELECT id, email FROM admin_account WHERE enrolment_hash = $1::bytea AND enrolment_expires_at > now() AND disabled_at IS NULL`

// newcomer returns whose link has the token.
func (s *service) newcomer(ctx context.Context, token string) (newcomer, error) {
	found, err := pg.One[newcomer](ctx, s.DB, selectNewcomer, authn.Hash(token))
	if errors.Is(err, pgx.ErrNoRows) {
		return newcomer{}, problem.New(http.StatusNotFound, "This link is used, or older than a day. Ask for another one.")
	}
	if err != nil {
		return newcomer{}, fmt.Errorf("look up enrolment: %w", err)
	}
	return found, nil
}

// totpSecretOf is the secret that an enrolment offers: the same however often its page is loaded, and nobody's without the link.
func (s *service) totpSecretOf(token string) []byte { return s.keys[0].totpSecretOf(token) }

func (k key) totpSecretOf(token string) []byte { return k.derive("totp", []byte(token))[:totpBytes] }

// shown returns the secret whose code this is, which a former key may have made when the page was loaded, and the code's step; 0 is none.
func (s *service) shown(token, code string) (secret []byte, step int64) {
	for _, k := range s.keys {
		secret = k.totpSecretOf(token)
		if step = totpStep(secret, code, s.Now()); step > 0 {
			break
		}
	}
	return secret, step
}

// A new password, secret and codes end whatever the account had before, sessions among it.
const (
	finishEnrolment = `
UPDATE admin_account SET password_hash = $3::text, totp_secret = $4::bytea, totp_step = $5::bigint, enrolled_at = now(),
    enrolment_hash = NULL, enrolment_expires_at = NULL
WHERE id = $1 AND enrolment_hash = $2::bytea AND enrolment_expires_at > now() AND disabled_at IS NULL
RETURNING id`

	endSessions = `DELETE FROM admin_session WHERE account_id = $1`

	dropRecoveryCodes = `DELETE FROM admin_recovery_code WHERE account_id = $1`

	insertRecoveryCodes = `INSERT INTO admin_recovery_code (account_id, code_hash) SELECT $1, unnest($2::bytea[])`
)

// enrol sets the password and the secret of whom the token lets, when code shows that their authenticator has it. It returns the recovery
// codes, which are never seen again.
func (s *service) enrol(ctx context.Context, token, chosen, code string) ([]string, error) {
	who, err := s.newcomer(ctx, token)
	if err != nil {
		return nil, err
	}
	if len([]rune(chosen)) < minPassword || len(chosen) > 128 {
		return nil, problem.Invalid("password", "expected 12 to 128 characters")
	}
	if err := password.Check("password", chosen, who.Email); err != nil {
		return nil, err
	}
	secret, step := s.shown(token, plainCode(code))
	if step == 0 {
		return nil, problem.Invalid("code", "expected the six digits that your authenticator shows now")
	}
	hash, err := s.hasher.Hash(ctx, chosen)
	if err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	sealed, err := s.keys.seal(who.ID, secret)
	if err != nil {
		return nil, err
	}
	codes := newRecoveryCodes()
	hashes := make([][]byte, len(codes))
	for i, c := range codes {
		sum := sha256.Sum256([]byte(plainCode(c)))
		hashes[i] = sum[:]
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		if _, err := pg.Value[int64](ctx, tx, finishEnrolment, who.ID, authn.Hash(token), hash, sealed, step); err != nil {
			if errors.Is(err, pgx.ErrNoRows) {
				return problem.NotFound()
			}
			return fmt.Errorf("finish enrolment: %w", err)
		}
		tx.Queue(endSessions, who.ID)
		tx.Queue(dropRecoveryCodes, who.ID)
		tx.Queue(insertRecoveryCodes, who.ID, hashes)
		return s.record(ctx, tx, who.ID, entry{Act: "enrol", Subject: subject(operators, who.ID)})
	})
	if err != nil {
		return nil, fmt.Errorf("enrol account %d: %w", who.ID, err)
	}
	return codes, nil
}

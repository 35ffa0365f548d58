package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// The limits of signing in count failures only, as for people of the app. Codes are counted over all addresses as well, since six digits are
// few for somebody who has the password and many addresses; only they can use that up.
var (
	codeOfAccount   = limit.Rule{Name: "admin.code.account", Max: 10, Window: time.Hour}
	signInOfAccount = limit.Rule{Name: "admin.login.account", Max: 5, Window: 15 * time.Minute} // from one address
	signInOfAddress = limit.Rule{Name: "admin.login.address", Max: 30, Window: time.Hour}       // over all accounts
)

// proof is what somebody signs in with: a code is one of TOTP, or a recovery code.
type proof struct {
	Email, Password, Code string
}

// errWrongProof means that something of a proof is not right: nobody is told what.
var errWrongProof = errors.New("wrong proof")

// signIn opens a session of that kind and returns its token. Each code works once.
func (s *service) signIn(ctx context.Context, kind string, p proof) (string, operator, error) {
	address := api.Address(ctx)
	email := strings.ToLower(strings.TrimSpace(p.Email))
	try, err := limit.Take(ctx, s.DB, signInOfAccount.By(email+"\x00"+address), signInOfAddress.By(address))
	if err != nil {
		return "", operator{}, fmt.Errorf("count try: %w", err)
	}
	if !try.Granted {
		return "", operator{}, problem.TooMany("Too many tries. Wait before the next one.", try.After)
	}
	token, found, err := s.prove(ctx, kind, email, p)
	if errors.Is(err, errWrongProof) {
		refused := problem.Unauthenticated()
		refused.Detail = "The email address, the password or the code is not right."
		return "", operator{}, refused
	}
	if gaveBack := limit.GiveBack(ctx, s.DB, try); err == nil && gaveBack != nil {
		api.Log(ctx, slog.String("count", gaveBack.Error())) // the session is open: that its try still counts refuses nobody yet
	} else {
		err = errors.Join(err, gaveBack)
	}
	return token, found, err
}

// credentials are what a proof is checked against.
type credentials struct {
	ID           int64
	PasswordHash string
	TOTPSecret   []byte `db:"totp_secret"`
	Anew         []byte `db:"-"` // the secret as the key in use seals it; nil when it has
}

const selectAccount = `
SELECT id, password_hash, totp_secret FROM admin_account WHERE lower(email) = $1 AND enrolled_at IS NOT NULL AND disabled_at IS NULL`

func (s *service) prove(ctx context.Context, kind, email string, p proof) (string, operator, error) {
	found, err := pg.One[credentials](ctx, s.DB, selectAccount, email)
	if errors.Is(err, pgx.ErrNoRows) {
		found, err = credentials{PasswordHash: password.NoHash}, nil
	}
	if err != nil {
		return "", operator{}, fmt.Errorf("look up account: %w", err)
	}
	right, err := s.hasher.Matches(ctx, found.PasswordHash, p.Password)
	if err != nil {
		return "", operator{}, fmt.Errorf("check password of account %d: %w", found.ID, err)
	}
	if !right {
		return "", operator{}, errWrongProof
	}
	secret, anew, err := s.keys.open(found.ID, found.TOTPSecret)
	if err != nil {
		return "", operator{}, fmt.Errorf("account %d: %w", found.ID, err)
	}
	found.Anew = anew
	code := plainCode(p.Code)
	try, err := limit.Take(ctx, s.DB, codeOfAccount.By(strconv.FormatInt(found.ID, 10)))
	if err != nil {
		return "", operator{}, fmt.Errorf("count code: %w", err)
	}
	if !try.Granted {
		api.Log(ctx, slog.Int64("operator", found.ID), slog.String("refused", "right password, and too many wrong codes within an hour"))
		return "", operator{}, errWrongProof
	}
	token, opened, err := s.openSession(ctx, kind, found, totpStep(secret, code, s.Now()), code)
	if errors.Is(err, errWrongProof) {
		api.Log(ctx, slog.Int64("operator", found.ID), slog.String("refused", "right password, wrong code"))
		return "", operator{}, err
	}
	if err != nil {
		return "", operator{}, errors.Join(err, limit.GiveBack(ctx, s.DB, try))
	}
	if err := limit.GiveBack(ctx, s.DB, try); err != nil {
		api.Log(ctx, slog.String("count", err.Error()))
	}
	return token, opened, nil
}

// A code of TOTP ends its step and all before it; another is a recovery code, which goes. While the password that was checked does not
// stand any more, or the account may not sign in, there is no session.
const useStep = `
UPDATE admin_account SET totp_step = $3::bigint
WHERE id = $1 AND password_hash = $2::text AND disabled_at IS NULL AND totp_step < $3::bigint
RETURNING id`

const useRecoveryCode = `
WITH account AS (
    SELECT id FROM admin_account WHERE id = $1 AND password_hash = $2::text AND disabled_at IS NULL FOR NO KEY UPDATE
)
DELETE FROM admin_recovery_code c USING account WHERE c.account_id = account.id AND c.code_hash = $3::bytea
RETURNING account.id`

const sealAnew = `UPDATE admin_account SET totp_secret = $3::bytea WHERE id = $1 AND totp_secret = $2::bytea`

const insertSession = `
INSERT INTO admin_session (account_id, kind, token_hash, expires_at)
VALUES ($1, $2, $3::bytea, now() + make_interval(secs => $4::float8))
RETURNING account_id AS id, id AS session_id, (SELECT email FROM admin_account WHERE id = $1) AS email,
    (SELECT role FROM admin_account WHERE id = $1) AS role, expires_at`

func (s *service) openSession(ctx context.Context, kind string, c credentials, step int64, code string) (string, operator, error) {
	token := newToken()
	var opened operator
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) (err error) {
		if step > 0 {
			_, err = pg.Value[int64](ctx, tx, useStep, c.ID, c.PasswordHash, step)
		} else {
			hash := sha256.Sum256([]byte(code))
			_, err = pg.Value[int64](ctx, tx, useRecoveryCode, c.ID, c.PasswordHash, hash[:])
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return errWrongProof
		}
		if err != nil {
			return fmt.Errorf("use code: %w", err)
		}
		opened, err = pg.One[operator](ctx, tx, insertSession, c.ID, kind, authn.Hash(token), sessionLife.Seconds())
		if err != nil {
			return fmt.Errorf("insert session: %w", err)
		}
		if c.Anew != nil {
			tx.Queue(sealAnew, c.ID, c.TOTPSecret, c.Anew)
		}
		how := "totp"
		if step == 0 {
			how = "recovery code"
		}
		return s.record(ctx, tx, opened.ID, entry{Act: "sign-in", Subject: subject(operators, opened.ID), After: map[string]any{"session": kind, "by": how}})
	})
	if err != nil {
		return "", operator{}, fmt.Errorf("sign in account %d: %w", c.ID, err)
	}
	opened.CSRF = csrfOf(token)
	return token, opened, nil
}

const deleteSession = `DELETE FROM admin_session WHERE id = $1 AND account_id = $2`

// signOut ends the caller's session.
func (s *service) signOut(ctx context.Context) error {
	me := operatorOf(ctx)
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		tx.Queue(deleteSession, me.SessionID, me.ID)
		return s.record(ctx, tx, me.ID, entry{Act: "sign-out", Subject: subject(operators, me.ID)})
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

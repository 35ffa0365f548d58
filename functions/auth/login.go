package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type loginInput struct {
	Body struct {
		Email      string `json:"email" minLength:"1" maxLength:"254" example:"ann@example.com"`
		Password   string `json:"password" minLength:"1" maxLength:"128" example:"seven quiet herons"`
		DeviceName string `json:"device_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" doc:"How the list of sessions names this device" example:"Ann's iPhone"`
	}
}

func (s *service) login(ctx context.Context, in *loginInput) (*signedInOutput, error) {
	var answer signedIn
	err := errOvertaken
	for round := 0; round < 2 && errors.Is(err, errOvertaken); round++ {
		answer, err = s.signIn(ctx, folded(in.Body.Email), in.Body.Password, strings.TrimSpace(in.Body.DeviceName))
	}
	if errors.Is(err, errWrongPassword) || errors.Is(err, errOvertaken) {
		refused := problem.Unauthenticated()
		refused.Detail = "The email address or the password is not right."
		return nil, refused
	}
	if errors.Is(err, errDisabled) {
		return nil, problem.Forbidden("This account is disabled. Write to support.")
	}
	if err != nil {
		return nil, err
	}
	api.Log(ctx, slog.Int64("user", answer.User.ID))
	return &signedInOutput{answer}, nil
}

// credentials are what a password is checked against, and the account that it opens.
type credentials struct {
	user
	PasswordHash string
	Disabled     bool
}

var (
	// errDisabled means that an operator has disabled the account. Only who knows its password learns that.
	errDisabled = errors.New("the account is disabled")
	// errOvertaken means that the account was disabled or deleted, or its hash replaced, between the look at it and the session.
	errOvertaken = errors.New("the account changed while its password was checked")
)

// A person who has no password, or does not exist, is checked against a hash that nothing gives.
const selectCredentials = `
SELECT ` + userColumns + `, coalesce(u.password_hash, $2) AS password_hash, u.disabled_at IS NOT NULL AS disabled
FROM auth_user u WHERE lower(u.email) = $1`

// signIn opens a session for whoever knows the password, else returns errWrongPassword, errDisabled or errOvertaken, in two round trips:
// one that looks and counts the try, one that opens the session and gives the try back. The try stays on the count only for
// errWrongPassword: however many run at the same moment, no more than the limits allow are compared.
func (s *service) signIn(ctx context.Context, email, given, device string) (signedIn, error) {
	found := credentials{PasswordHash: password.NoHash}
	look := &pgx.Batch{}
	look.Queue(selectCredentials, email, password.NoHash).Query(func(rows pgx.Rows) error {
		person, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[credentials])
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look up credentials: %w", err)
		}
		found = person
		found.CreatedAt = found.CreatedAt.UTC()
		return nil
	})
	try, err := s.allowWith(ctx, look, loginCounts(ctx, email)...)
	if err != nil {
		return signedIn{}, err
	}
	token, err := s.openFor(ctx, try, found, given, device)
	if err == nil || errors.Is(err, errWrongPassword) {
		return signedIn{Token: token, User: found.user}, err
	}
	if back := limit.GiveBack(ctx, s.DB, try); back != nil {
		return signedIn{}, back // a database that is away, and no word about the password
	}
	return signedIn{}, err
}

// openFor returns the token of a new session of found if the password given is theirs.
func (s *service) openFor(ctx context.Context, try limit.Try, found credentials, given, device string) (token string, err error) {
	right, err := s.hasher.Matches(ctx, found.PasswordHash, given)
	if err != nil {
		return "", fmt.Errorf("check password of user %d: %w", found.ID, err)
	}
	if !right {
		return "", errWrongPassword
	}
	if found.Disabled {
		return "", errDisabled
	}
	replacement := found.PasswordHash
	if password.Outdated(found.PasswordHash) {
		if replacement, err = s.hasher.Hash(ctx, given); err != nil {
			return "", err
		}
	}
	token = newToken()
	if err := s.openSession(ctx, try, found, replacement, authn.Hash(token), device); err != nil {
		return "", fmt.Errorf("open session of user %d: %w", found.ID, err)
	}
	return token, nil
}

// openSession opens a session with a token of that hash, stores replacement where it is another password hash than the one that was
// checked, and gives try back, all in one round trip. It returns errOvertaken when the account is no longer as it was found.
func (s *service) openSession(ctx context.Context, try limit.Try, found credentials, replacement string, token []byte, device string) error {
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		tx.Queue(insertSession, found.ID, found.PasswordHash, token, device, authn.SessionLife.Seconds())
		if replacement != found.PasswordHash {
			tx.Queue(replaceHash, found.ID, replacement)
		}
		try.GiveBackWith(tx)
		return nil
	})
	if pg.Violates(err, sessionOwner) {
		return errOvertaken
	}
	return err
}

// sessionOwner is the foreign key from a session to its account.
const sessionOwner = "auth_session_user_id_fkey"

// The session is opened only while the hash that was checked stands and the account works, and its row is locked: what changes
// either of them comes first and refuses this, or comes after and ends the session. Refusing is by person 0, whom no foreign key
// knows: it ends the transaction without a round trip to look at rows.
const insertSession = `
WITH person AS (
    SELECT id FROM auth_user WHERE id = $1 AND password_hash = $2::text AND disabled_at IS NULL FOR NO KEY UPDATE
)
INSERT INTO auth_session (user_id, token_hash, device_name, expires_at)
SELECT coalesce((SELECT id FROM person), 0), $3::bytea, $4, now() + make_interval(secs => $5::float8)`

const replaceHash = `UPDATE auth_user SET password_hash = $2 WHERE id = $1`

package main

import (
	"errors"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/problem"
)

// wrongCode is the answer to every code that does not work, whatever the reason.
func wrongCode() error {
	return problem.New(http.StatusBadRequest, "The code is wrong, used or older than ten minutes.")
}

const endCodes = `
UPDATE auth_code SET expires_at = now()
WHERE user_id = $1 AND purpose = $2::text AND used_at IS NULL AND expires_at > now()`

// A liveCode is a row of auth_code that may still be redeemed.
type liveCode struct {
	ID       int64
	UserID   int64
	Purpose  string
	Nonce    []byte
	Sessions [][]byte // hashes of the person's tokens
}

// tryCodes is SQL that counts a try at the live codes of a person, whom the condition who names, and gives them. The
// rows are locked before tries are compared: of any number at the same moment no more than the limit get through.
func tryCodes(who string) string {
	return `
WITH live AS (
    SELECT c.id FROM auth_code c JOIN auth_user u ON u.id = c.user_id
    WHERE ` + who + ` AND c.purpose = ANY($2::text[]) AND c.used_at IS NULL AND c.expires_at > now() AND c.tries < $3
        AND NOT EXISTS (SELECT FROM auth_code n WHERE n.user_id = c.user_id AND n.purpose = c.purpose AND n.id > c.id)
    ORDER BY c.id FOR UPDATE OF c
)
UPDATE auth_code c SET tries = c.tries + 1 FROM live WHERE c.id = live.id
RETURNING c.id, c.user_id, c.purpose, c.nonce,
    ARRAY(SELECT s.token_hash FROM auth_session s WHERE s.user_id = c.user_id) AS sessions`
}

var (
	tryCodesOfPerson = tryCodes(`u.id = $1`)
	tryCodesOfEmail  = tryCodes(`lower(u.email) = $1`)
)

// padCommit writes a record to the log of the database, so that a commit which has nothing to say waits for the disk
// like one that has: how long an answer takes must not tell whether there is such an account.
const padCommit = `SELECT pg_logical_emit_message(true, 'honeydue', '')`

// redeemable returns the code among live that digits spell, or the problem of a wrong code. The try was counted and
// committed before.
func (s *service) redeemable(live []liveCode, digits string) (liveCode, error) {
	for _, c := range live {
		if s.codes.Derived(digits, c.Purpose, c.UserID, c.ID, c.Nonce) {
			return c, nil
		}
	}
	return liveCode{}, wrongCode()
}

// redeemed makes of the error of a statement that uses a code up what the caller is told.
func redeemed(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return wrongCode()
	}
	return err
}

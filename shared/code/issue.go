package code

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/honeydue/backend/shared/pg"
)

const nonceBytes = 16

// Nonce returns what makes the digits of one code unlike those of any other.
func Nonce() []byte {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // it never fails
	return nonce
}

// A person who is not there gets no code. Of one purpose only the newest code works: the ones before it are ended
// here, and those that two requests make at the same moment by the look at what is newer when one is tried.
const insertCode = `
WITH ended AS (
    UPDATE auth_code SET expires_at = now()
    WHERE user_id = $1 AND purpose = $2::text AND used_at IS NULL AND expires_at > now()
)
INSERT INTO auth_code (user_id, purpose, nonce, new_email, expires_at)
SELECT u.id, $2::text, $3::bytea, $4::text, now() + make_interval(secs => $5::float8) FROM auth_user u WHERE u.id = $1
RETURNING id`

// Issue makes a code for a person in tx and returns the id of its row, which the event names that has it sent. newEmail is the
// address that a change of address wants, else nil. pgx.ErrNoRows means that there is no such person.
func Issue(ctx context.Context, tx *pg.Tx, person int64, purpose string, newEmail *string) (id int64, err error) {
	id, err = pg.Value[int64](ctx, tx, insertCode, person, purpose, Nonce(), newEmail, Life.Seconds())
	if err != nil {
		return 0, fmt.Errorf("issue code: %w", err)
	}
	return id, nil
}

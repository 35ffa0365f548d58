package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
)

// codeAlphabet is A–Z and 2–9 without I, L and O, which are read as digits.
const (
	codeAlphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	codeLength   = 8
)

// newCode returns a random code, every one as likely as any other.
func newCode() string {
	code := make([]byte, 0, codeLength)
	for len(code) < codeLength {
		var random [codeLength]byte
		_, _ = rand.Read(random[:]) // never fails: it ends the process instead
		for _, b := range random {
			// Five bits reach one further than the alphabet; what lies there is thrown away, since wrapping would favour a letter.
			if i := int(b & 31); i < len(codeAlphabet) && len(code) < codeLength {
				code = append(code, codeAlphabet[i])
			}
		}
	}
	return string(code)
}

// hashCode returns what is stored of a code, however it was typed.
func hashCode(typed string) []byte {
	code := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, typed)
	sum := sha256.Sum256([]byte(code))
	return sum[:]
}

const upsertCode = `
INSERT INTO residence_share_code (residence_id, code_hash, created_by_id, expires_at)
VALUES ($1, $2::bytea, $3, now() + make_interval(hours => $4::integer))
ON CONFLICT (residence_id) DO UPDATE
SET code_hash = excluded.code_hash, created_by_id = excluded.created_by_id, expires_at = excluded.expires_at, created_at = now()
RETURNING expires_at`

// keepCode makes code the only one of the home id and returns when it ends.
func keepCode(ctx context.Context, tx *pg.Tx, id, person int64, code string, hours int) (time.Time, error) {
	expiresAt, err := pg.Value[time.Time](ctx, tx, upsertCode, id, hashCode(code), person, hours)
	if err != nil {
		return time.Time{}, fmt.Errorf("keep share code of residence %d: %w", id, err)
	}
	return expiresAt, nil
}

const deleteCode = `DELETE FROM residence_share_code WHERE residence_id = $1`

// errNoCode means that a code is wrong, used or expired.
var errNoCode = errors.New("no such share code")

var selectCode = `
SELECT c.residence_id, ` + home.MembersOf("c.residence_id") + ` AS members
FROM residence_share_code c WHERE c.code_hash = $1::bytea AND c.expires_at > now()`

type codeRow struct {
	ResidenceID int64
	Members     []int64
}

var useCode = `
WITH used AS (
    DELETE FROM residence_share_code WHERE residence_id = $1 AND code_hash = $2::bytea AND expires_at > now() RETURNING residence_id
)
SELECT ` + read + `, 'member' AS role FROM residence_residence r WHERE id IN (SELECT residence_id FROM used)`

// redeem uses a code up and makes person a member of the home id, which tx has to itself.
func redeem(ctx context.Context, tx *pg.Tx, id, person int64, hash []byte) (Residence, error) {
	joined, err := pg.One[Residence](ctx, tx, useCode, id, hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return Residence{}, errNoCode
	}
	if err != nil {
		return Residence{}, fmt.Errorf("redeem share code of residence %d: %w", id, err)
	}
	tx.Queue(insertMember, id, person, string(home.Member))
	return joined, nil
}

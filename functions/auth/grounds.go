package main

import (
	"errors"
	"time"

	"github.com/honeydue/backend/shared/problem"
)

// grounds are what allows the deletion of an account, and must hold until it commits.
type grounds struct {
	condition string // on the row of auth_user
	argument  any    // $2 of the condition
	lapsed    error  // says that it does not hold any more
}

// proved are the grounds of whoever knew the password of that hash.
func proved(hash string) grounds {
	lapsed := problem.Conflict("The password was changed at this very moment.", nil)
	return grounds{condition: `password_hash = $2::text`, argument: hash, lapsed: lapsed}
}

// errTakenBack means that an operator has enabled the account that was to be deleted.
var errTakenBack = errors.New("the account is not disabled any more")

// disabledSince are the grounds of an operator who asked for the deletion at that time.
func disabledSince(asked time.Time) grounds {
	return grounds{condition: `disabled_at <= $2::timestamptz`, argument: asked, lapsed: errTakenBack}
}

// awaitPerson is SQL that says whether the grounds hold. Whatever is about to refer to the person holds their row, and is waited
// for.
func (g grounds) awaitPerson() string {
	return `SELECT coalesce(` + g.condition + `, false) FROM auth_user WHERE id = $1 FOR UPDATE`
}

// lockPerson is SQL that gives the person while the grounds hold, and waits for nobody.
func (g grounds) lockPerson() string {
	return `SELECT id FROM auth_user WHERE id = $1 AND ` + g.condition + ` FOR UPDATE SKIP LOCKED`
}

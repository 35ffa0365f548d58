package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// secondLogin is the end of the name of a function's second login, which has all that its role has, as a member of it. While functions
// sign in with one of the two, the other's password can be changed: make rotate does so in turn.
const secondLogin = "_b"

var errLogins = errors.New("DATABASE_LOGINS is not a list such as honeydue_tasks:PASSWORD,honeydue_tasks_b:PASSWORD")

// ensureLogins gives the logins of a list their passwords, and makes second ones that are missing.
func ensureLogins(ctx context.Context, db *sql.DB, list string) error {
	for entry := range strings.SplitSeq(list, ",") {
		name, password, ok := strings.Cut(entry, ":")
		function, isSecond := strings.CutSuffix(strings.TrimPrefix(name, rolePrefix), secondLogin)
		if !ok || password == "" || !strings.HasPrefix(name, rolePrefix) || !slices.Contains(functions[:], function) {
			return errLogins
		}
		if isSecond {
			if err := ensureRole(ctx, db, name, "INHERIT IN ROLE "+rolePrefix+function); err != nil {
				return fmt.Errorf("login %s: %w", name, err)
			}
		}
		if err := setPassword(ctx, db, name, password); err != nil {
			return err
		}
	}
	return nil
}

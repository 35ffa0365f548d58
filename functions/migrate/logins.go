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

// readPasswords returns what logins have for passwords, by their names: what a rotation chose holds, and for others what the Secrets' file
// says.
func readPasswords(getenv func(string) string) (map[string]string, error) {
	passwords := map[string]string{}
	for _, function := range functions {
		if password := getenv(strings.ToUpper(function) + "_DATABASE_PASSWORD"); password != "" {
			passwords[rolePrefix+function] = password
		}
	}
	list := getenv("DATABASE_LOGINS")
	if list == "" {
		return passwords, nil
	}
	for entry := range strings.SplitSeq(list, ",") {
		name, password, ok := strings.Cut(entry, ":")
		function := strings.TrimSuffix(strings.TrimPrefix(name, rolePrefix), secondLogin)
		if !ok || password == "" || !strings.HasPrefix(name, rolePrefix) || !slices.Contains(functions[:], function) {
			return nil, errLogins
		}
		passwords[name] = password
	}
	return passwords, nil
}

// ensureSecond makes the second login of a role if it has a password. One that is there without being a member of the role becomes one.
func ensureSecond(ctx context.Context, db *sql.DB, role string, passwords map[string]string) error {
	name := role + secondLogin
	if passwords[name] == "" {
		return nil
	}
	if err := ensureRole(ctx, db, name, "INHERIT"); err != nil {
		return err
	}
	for _, statement := range []string{`ALTER ROLE ` + name + ` INHERIT`, `GRANT ` + role + ` TO ` + name} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make it a member of %s: %w", role, err)
		}
	}
	return nil
}

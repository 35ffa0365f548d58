package main

import (
	_ "embed"
	"strings"

	"github.com/honeydue/backend/shared/problem"
)

// commonPasswords is one password a line, in lower case; passwords/LICENSE says whose list it is.
//
//go:embed passwords/common.txt
var commonPasswords string

// checkPassword refuses a new password that others would guess first. Its length is the schema's to check.
func checkPassword(location, password, email string) error {
	local, _, _ := strings.Cut(email, "@")
	switch {
	case strings.EqualFold(password, email), strings.EqualFold(password, local):
		return problem.Invalid(location, "expected a password that is not the email address")
	case isCommon(password):
		return problem.Invalid(location, "expected a password that is not among the 10,000 most common")
	default:
		return nil
	}
}

func isCommon(password string) bool {
	line := strings.ToLower(password) + "\n"
	return strings.HasPrefix(commonPasswords, line) || strings.Contains(commonPasswords, "\n"+line)
}

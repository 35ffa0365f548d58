package password

import (
	_ "embed"
	"strings"

	"github.com/honeydue/backend/shared/problem"
)

// common is one password a line, in lower case; LICENSE says whose list it is.
//
//go:embed common.txt
var common string

// Check refuses a new password that others would guess first, one of the 10,000 most common or the address email itself, with a
// problem 422 about location. Its length, 8 to 128 characters, is the schema's to check.
func Check(location, password, email string) error {
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
	return strings.HasPrefix(common, line) || strings.Contains(common, "\n"+line)
}

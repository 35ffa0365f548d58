package main

import (
	"net/mail"
	"strings"

	"github.com/honeydue/backend/shared/problem"
)

const maxEmail = 254 // bytes, RFC 5321 section 4.5.3.1.3 less the brackets

// parseEmail returns an address as it is kept. location names the field that the refusal is about.
func parseEmail(location, text string) (string, error) {
	text = strings.TrimSpace(text)
	refused := problem.Invalid(location, "expected an email address such as ann@example.com")
	parsed, err := mail.ParseAddress(text)
	// What parses to something else had a display name, quotes or a comment.
	if err != nil || parsed.Address != text || len(text) > maxEmail {
		return "", refused
	}
	local, domain, _ := strings.Cut(text, "@")
	if len(local) > 64 || !isDomain(domain) || strings.ContainsFunc(text, func(c rune) bool { return c > '~' }) {
		return "", refused
	}
	return text, nil
}

// isDomain returns whether name is a public host name: two labels or more of letters, digits and inner hyphens.
func isDomain(name string) bool {
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.ContainsFunc(label, notHost) {
			return false
		}
	}
	return len(labels) > 1
}

func notHost(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-'
}

// folded is the form of an address in which two are compared, as lower() in SQL makes it.
func folded(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

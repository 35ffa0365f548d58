package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"

	"github.com/honeydue/backend/shared/notice"
)

//go:embed unsubscribe.html
var unsubscribeHTML string

//go:embed unsubscribe.css
var unsubscribeStyle string

// An unsubscribePage has no name and no address on it: a mail may have been forwarded.
type unsubscribePage struct {
	Type string // of message; empty for a link that is none of ours
	Done bool
}

// Style is the page's own; nothing is loaded from anywhere.
func (unsubscribePage) Style() template.CSS { return template.CSS(unsubscribeStyle) } //nolint:gosec // ours

// About says in the plural what the mails are about.
func (p unsubscribePage) About() string {
	switch p.Type {
	case notice.TaskAssigned:
		return "tasks that are given to you"
	case notice.TaskCompleted:
		return "tasks that others have completed"
	case notice.TaskDueSoon:
		return "tasks that are due soon"
	case notice.TaskOverdue:
		return "tasks that are overdue"
	case notice.ResidenceJoined:
		return "people who join your home"
	case notice.WarrantyExpiring:
		return "warranties that end"
	case notice.DailyDigest:
		return "what the day brings"
	default:
		return ""
	}
}

type unsubscribeOutput struct {
	Status         int
	ContentType    string `header:"Content-Type"`
	Policy         string `header:"Content-Security-Policy" hidden:"true"`
	ReferrerPolicy string `header:"Referrer-Policy" hidden:"true"`
	Robots         string `header:"X-Robots-Tag" hidden:"true"`
	Body           []byte
}

// showPage answers with the page. It may show its own style and post to where it came from; nothing else.
func showPage(status int, page unsubscribePage) (*unsubscribeOutput, error) {
	parsed, err := template.New("unsubscribe").Parse(unsubscribeHTML)
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	var html bytes.Buffer
	if err := parsed.Execute(&html, page); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	sum := sha256.Sum256([]byte(unsubscribeStyle))
	return &unsubscribeOutput{
		Status: status, ContentType: "text/html; charset=utf-8",
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		ReferrerPolicy: "no-referrer", Robots: "noindex", Body: html.Bytes(),
	}, nil
}

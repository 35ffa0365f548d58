package main

import (
	"strings"
	"time"
	_ "time/tzdata" // zones on a machine that has none
	"unicode"

	"github.com/honeydue/backend/shared/date"
)

// Lengths in characters to which texts that people typed are cut.
const (
	lineLength      = 60
	paragraphLength = 500
)

// line makes text fit for one line of a mail, also of its header; otherwise stands for what is empty.
func line(text, otherwise string) string {
	text = strings.Join(strings.FieldsFunc(printable(text), unicode.IsSpace), " ")
	if text == "" {
		return otherwise
	}
	return cut(text, lineLength)
}

// paragraph makes text fit for a mail's body, where its line breaks stay.
func paragraph(text string) string {
	return cut(strings.TrimSpace(printable(text)), paragraphLength)
}

// printable drops what is not for the eye: control characters but line breaks, and characters that turn the direction
// of what follows them, which could make a sentence of ours read otherwise.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar:
			return -1
		default:
			return r
		}
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// cut returns at most length characters of text, the last of which is … when some are missing.
func cut(text string, length int) string {
	characters := []rune(text)
	if len(characters) <= length {
		return text
	}
	return strings.TrimRightFunc(string(characters[:length-1]), unicode.IsSpace) + "…"
}

// day writes a date as people say it.
func day(d *date.Date) string {
	if d == nil {
		return ""
	}
	return d.Time().Format("Monday, 2 January 2006")
}

// instant writes t in the person's zone, or in UTC when that is not known.
func instant(t time.Time, zone string) string {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	return t.In(location).Format("2 January 2006 at 15:04 MST")
}

package notice

import (
	"strings"
	"unicode"
)

// Lengths in characters to which texts that people typed are cut.
const (
	lineLength      = 60
	paragraphLength = 500
)

// Line makes a text that somebody typed fit for one line of a message, also of a mail's header; otherwise stands for what is empty.
func Line(text, otherwise string) string {
	text = strings.Join(strings.FieldsFunc(printable(text), unicode.IsSpace), " ")
	if text == "" {
		return otherwise
	}
	return cut(text, lineLength)
}

// Paragraph makes a text that somebody typed fit for a mail's body, where its line breaks stay.
func Paragraph(text string) string {
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

package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is deeper than any body that a call takes.
const maxDepth = 16

// Texts of refusals; none tells what was sent.
var (
	errSyntax = errors.New("expected one JSON value: no duplicate names, nothing after it, valid UTF-8")
	errDepth  = errors.New("nested too deeply")
	errNUL    = errors.New("expected text without NUL characters")
	errName   = errors.New("unexpected property") // in huma's words
	errType   = errors.New("expected another type or a smaller number")
)

// strictJSON is huma's JSON format, without what encoding/json lets pass.
func strictJSON() huma.Format {
	format := huma.DefaultJSONFormat
	format.Unmarshal = func(data []byte, v any) error {
		if err := inspect(data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, v); err != nil {
			return errType
		}
		return nil
	}
	return format
}

// inspect refuses what PostgreSQL could not store and what two readers could understand differently. No field of ours has
// a name with a dot or bracket, from which huma would make locations that hold parts of it.
func inspect(data []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	for first := true; ; first = false {
		token, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) && !first {
			return nil
		}
		if err != nil {
			return errSyntax
		}
		switch {
		case decoder.StackDepth() > maxDepth:
			return errDepth
		case token.Kind() == '"' && strings.ContainsRune(token.String(), 0):
			return errNUL
		case isName(decoder, token) && strings.ContainsAny(token.String(), ".["):
			return errName
		case decoder.StackDepth() == 0:
			if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
				return errSyntax
			}
			return nil
		}
	}
}

// isName returns whether the token that decoder has just read is the name of a field.
func isName(decoder *jsontext.Decoder, token jsontext.Token) bool {
	within, read := decoder.StackIndex(decoder.StackDepth())
	return within == '{' && read%2 == 1 && token.Kind() == '"'
}

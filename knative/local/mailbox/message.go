package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // reads other charsets than UTF-8
	"github.com/emersion/go-message/mail"
)

// A Message is a mail as its reader sees it.
type Message struct {
	ID      string            `json:"id"`
	At      time.Time         `json:"at"`   // when it was accepted
	From    string            `json:"from"` // as its header says, such as honeyDue <hello@myhoneydue.com>
	To      []string          `json:"to"`   // whom it was delivered to, plain addresses
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	HTML    string            `json:"html"`
	Headers map[string]string `json:"headers"` // decoded, canonical names; a repeated one is joined by commas
}

const (
	extension   = ".eml"
	returnPath  = "Return-Path"
	deliveredTo = "Delivered-To"
	idTime      = "20060102T150405.000000000"
)

// newID returns an id that sorts by time.
func newID(at time.Time, n int) string { return fmt.Sprintf("%s-%06d", at.UTC().Format(idTime), n) }

// parse reads a message with the envelope above it. What cannot be read stays empty, as in any mail program.
func parse(id string, content []byte) Message {
	m := Message{ID: id, To: []string{}, Headers: map[string]string{}}
	stamp, _, _ := strings.Cut(id, "-")
	m.At, _ = time.Parse(idTime, stamp)
	content = m.readEnvelope(content)
	entity, err := message.Read(bytes.NewReader(content))
	if err != nil && !message.IsUnknownCharset(err) {
		m.Text = string(content)
		return m
	}
	header := mail.Header{Header: entity.Header}
	m.Subject, _ = header.Subject()
	m.readHeader(header)
	m.readParts(mail.NewReader(entity))
	return m
}

// readEnvelope reads what trace has written, and returns the message below it.
func (m *Message) readEnvelope(content []byte) []byte {
	for {
		line, rest, _ := bytes.Cut(content, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case returnPath:
			m.From = strings.Trim(string(value), "<>")
		case deliveredTo:
			m.To = append(m.To, string(value))
		default:
			return content
		}
		content = rest
	}
}

func (m *Message) readHeader(header mail.Header) {
	for fields := header.Fields(); fields.Next(); {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		if before, ok := m.Headers[fields.Key()]; ok {
			value = before + ", " + value
		}
		m.Headers[fields.Key()] = value
	}
	if from, err := header.AddressList("From"); err == nil && len(from) > 0 {
		m.From = from[0].Address
		if from[0].Name != "" {
			m.From = from[0].Name + " <" + from[0].Address + ">"
		}
	}
}

func (m *Message) readParts(parts *mail.Reader) {
	for {
		part, err := parts.NextPart()
		if err != nil && !message.IsUnknownCharset(err) {
			return // io.EOF, or broken from here on
		}
		inline, ok := part.Header.(*mail.InlineHeader)
		if !ok {
			continue
		}
		kind, _, err := inline.ContentType()
		if err != nil {
			kind = "text/plain"
		}
		body, err := io.ReadAll(part.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			continue
		}
		switch kind {
		case "text/plain":
			m.Text += string(body)
		case "text/html":
			m.HTML += string(body)
		}
	}
}

package mailbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/emersion/go-smtp"
)

// keep stores a message, in memory and as a file.
func (m *Mailbox) keep(from string, to []string, content []byte) error {
	m.mu.Lock()
	refuse := m.refuse
	m.mu.Unlock()
	if refuse != nil {
		if err := refuse(from, to); err != nil {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: err.Error()}
		}
	}
	content = slices.Concat(trace(from, to), content)

	m.mu.Lock()
	id := newID(time.Now(), len(m.messages))
	message := parse(id, content)
	if err := writeFile(filepath.Join(m.dir, id+extension), content); err != nil {
		m.mu.Unlock()
		m.log.Error("mail is not kept", "error", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "cannot keep it"}
	}
	m.messages = append(m.messages, message)
	close(m.changed)
	m.changed = make(chan struct{})
	accepted := m.accepted
	m.mu.Unlock()
	if accepted != nil {
		accepted(message)
	}
	return nil
}

// writeFile makes a file appear whole or not at all.
func writeFile(path string, content []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, content, 0o600); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}

// trace is what a mail server writes above a message: the envelope.
func trace(from string, to []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: <%s>\r\n", returnPath, from)
	for _, address := range to {
		fmt.Fprintf(&b, "%s: %s\r\n", deliveredTo, address)
	}
	return b.Bytes()
}

package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxLines     = 400
	maxLineBytes = 64 << 10
)

// A logBook remembers the latest lines of all functions, and passes everything on to a file for each.
type logBook struct {
	mu    sync.Mutex
	lines []logLine // oldest first
}

// A logLine is a line as a person reads it.
type logLine struct {
	At       time.Time `json:"at"`
	Function string    `json:"function"`
	Level    string    `json:"level"` // empty for what is no JSON
	Message  string    `json:"message"`
	Rest     string    `json:"rest"` // the other attributes as key=value
}

// A logWriter cuts a function's output into lines. Only one goroutine may write.
type logWriter struct {
	book     *logBook
	function string
	file     *os.File
	partial  []byte
}

func (b *logBook) writer(function, path string) (*logWriter, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &logWriter{book: b, function: function, file: file}, nil
}

// newRun returns a writer of its own for one process, so that what it left unfinished stays apart.
func (w *logWriter) newRun() io.Writer {
	return &logWriter{book: w.book, function: w.function, file: w.file}
}

// Write never fails: a program must not end for its log.
func (w *logWriter) Write(p []byte) (int, error) {
	_, _ = w.file.Write(p)
	w.partial = append(w.partial, p...)
	for {
		line, rest, found := bytes.Cut(w.partial, []byte("\n"))
		if !found {
			break
		}
		w.book.add(w.function, line)
		w.partial = rest
	}
	if len(w.partial) > maxLineBytes {
		w.book.add(w.function, w.partial)
		w.partial = nil
	}
	return len(p), nil
}

func (b *logBook) add(function string, line []byte) {
	read := readLine(line)
	read.Function = function
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, read)
	if len(b.lines) > maxLines {
		b.lines = slices.Delete(b.lines, 0, len(b.lines)-maxLines)
	}
}

// list returns the lines, newest first.
func (b *logBook) list() []logLine {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := append([]logLine{}, b.lines...)
	slices.Reverse(lines)
	return lines
}

// readLine takes the usual attributes out of a JSON line; any other line is a message as it stands.
func readLine(line []byte) logLine {
	var attributes map[string]any
	if err := json.Unmarshal(line, &attributes); err != nil {
		return logLine{At: time.Now(), Message: string(line)}
	}
	take := func(key string) string {
		value, _ := attributes[key].(string)
		delete(attributes, key)
		return value
	}
	at, err := time.Parse(time.RFC3339Nano, take("time"))
	if err != nil {
		at = time.Now()
	}
	read := logLine{At: at, Level: take("level"), Message: take("msg")}
	delete(attributes, "function")
	var rest []string
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		rest = append(rest, fmt.Sprintf("%s=%v", key, attributes[key]))
	}
	read.Rest = strings.Join(rest, " ")
	return read
}

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A script is what pgbench runs over and over: what a function sent once, for any home.
type script struct {
	text   string
	values []string // name=value of what is the same every time
	trips  int
	sent   int     // statements
	answer *script // to the function's answer; nil when it does nothing behind that
}

// begin draws one of the homes, and a number that nothing else has.
const begin = `\set i random(0, %[1]d - 1)
\set home %[2]d + :i
\set owner %[3]d + 2 * :i
\set mate %[3]d + 2 * :i + 1
\set number random(1, 9000000000000000000)
`

var (
	parameter = regexp.MustCompile(`\$(\d+)`)

	// Numbers of 64 bits, hashes of 32 bytes, ids of events.
	lock = regexp.MustCompile(`^-?\d{12,}$`)
	key  = regexp.MustCompile(`^\\x[0-9a-f]{64}$`)
	uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// write makes a script of what a function sent for the first of the homes. Its ids become those of the home that is drawn, and what
// is made anew for each request (keys, their locks, ids of events) is made of the drawn number. Everything else is sent as
// it was. Statements that travelled together do so again.
func write(trips []trip) script {
	s := script{trips: len(trips)}
	var text strings.Builder
	fmt.Fprintf(&text, begin, homes, firstHome, firstPerson)
	for _, t := range trips {
		if len(t) > 1 {
			text.WriteString("\\startpipeline\n")
		}
		for _, statement := range t {
			s.sent++
			text.WriteString(parameter.ReplaceAllStringFunc(strings.TrimSpace(statement.sql), func(name string) string {
				n, _ := strconv.Atoi(name[1:])
				return s.expression(statement.args[n-1])
			}))
			text.WriteString(";\n")
		}
		if len(t) > 1 {
			text.WriteString("\\endpipeline\n")
		}
	}
	s.text = text.String()
	return s
}

// expression is what stands in a script for an argument.
func (s *script) expression(value *string) string {
	if value == nil {
		return "NULL"
	}
	switch *value {
	case strconv.Itoa(firstHome):
		return ":home"
	case strconv.Itoa(firstPerson):
		return ":owner"
	case strconv.Itoa(firstPerson + 1):
		return ":mate"
	}
	switch {
	case lock.MatchString(*value):
		return ":number"
	case key.MatchString(*value):
		return `decode(lpad(:number, 64, '0'), 'hex')`
	case uuid.MatchString(*value):
		return `lpad(:number, 32, '0')`
	}
	return s.constant(*value)
}

// constant returns the name of a variable with that value, since the text of a script cannot hold all of them: a colon begins a name.
// No variable can be empty.
func (s *script) constant(value string) string {
	if value == "" {
		return "''"
	}
	name := "constant_" + strconv.Itoa(len(s.values)+1)
	s.values = append(s.values, name+"="+value)
	return ":" + name
}

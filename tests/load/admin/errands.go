package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/honeydue/backend/tests/load"
)

// An errand is what an operator does for one person, and undoes: the page that asks, the act, its line in the audit log. One step
// follows on the answer to the one before.
type errand struct {
	id   int64
	by   operator
	csrf string
	done []string // acts, the newest last
	next func(e *errand) load.Call
}

// errand is the next step of the errand that has waited longest. While every step is under way, somebody looks at a person.
func (o *office) errand() load.Call {
	e, ok := o.errands.Take()
	if !ok {
		return o.person()
	}
	return e.next(e)
}

// then leaves the errand to its next step, when the one before was answered as it should be.
func (o *office) then(e *errand, next func(e *errand) load.Call, err error) error {
	if err != nil {
		return err
	}
	e.next = next
	o.errands.Put(e)
	return nil
}

func (e *errand) subject() string { return fmt.Sprintf("people/%d", e.id) }

var csrf = regexp.MustCompile(`<form class="ask" method="post">\s*<input type="hidden" name="csrf" value="([^"]+)">`)

func (o *office) ask(e *errand) load.Call {
	e.by = load.OneOf(o.admins)
	return load.Call{
		Name: "act: page", Method: http.MethodGet, URL: "/" + e.subject() + "/disable/", Header: e.by.header(o.at), Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			found := csrf.FindSubmatch(body)
			if found == nil {
				return errors.New("the page has no form")
			}
			e.csrf = string(found[1])
			return o.then(e, o.disable, has(body, "<h1>Disable the account?</h1>"))
		},
	}
}

func (o *office) disable(e *errand) load.Call {
	header := e.by.header(o.at)
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return load.Call{
		Name: "act: disable", Method: http.MethodPost, URL: "/" + e.subject() + "/disable/", Header: header, Status: http.StatusSeeOther,
		Body: []byte(url.Values{"csrf": {e.csrf}}.Encode()),
		Check: func(header http.Header, _ []byte) error {
			done := header.Get("Location") == "/"+e.subject()+"/?done=disable"
			e.done = append(e.done, "disable")
			return o.then(e, o.disabled, load.Wrong(nil, !done, "the act leads elsewhere"))
		},
	}
}

func (o *office) disabled(e *errand) load.Call { return o.audited(e, "disable", o.enable) }

func (o *office) enable(e *errand) load.Call {
	return load.Call{
		Name: "API: enable", Method: http.MethodPost, URL: "/api/admin/" + e.subject() + "/enable/", As: e.by.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			done, err := load.Decode[struct{ Act, Subject string }](body)
			e.done = append(e.done, "enable")
			return o.then(e, o.enabled, load.Wrong(err, done.Act != "enable" || done.Subject != e.subject(), "another act was done"))
		},
	}
}

func (o *office) enabled(e *errand) load.Call { return o.audited(e, "enable", o.ask) }

// audited looks for the line of the act, which is the person's newest.
func (o *office) audited(e *errand, act string, next func(e *errand) load.Call) load.Call {
	return load.Call{
		Name: "API: audit log", Method: http.MethodGet, URL: fmt.Sprintf("/api/admin/audit/?people=%d&limit=5", e.id), As: e.by.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			log, err := load.Decode[struct {
				Results []struct{ Act, Subject, Operator string }
			}](body)
			told := len(log.Results) > 0 && log.Results[0].Act == act && log.Results[0].Subject == e.subject() && log.Results[0].Operator == e.by.Email
			return o.then(e, next, load.Wrong(err, !told, "the log does not tell of the act"))
		},
	}
}

// settle looks that the log tells of all that was done to each person, and of nothing else.
func (o *office) settle(ctx context.Context, _ *load.Site) error {
	const most = 100
	return load.Reread(ctx, &o.errands, func(ctx context.Context, e *errand) error {
		var log struct{ Results []struct{ Act string } }
		err := o.admins[0].Read(ctx, fmt.Sprintf("/api/admin/audit/?people=%d&limit=%d", e.id, most), &log)
		told := make([]string, len(log.Results))
		for i, line := range log.Results {
			told[len(told)-1-i] = line.Act
		}
		done := e.done[max(0, len(e.done)-most):]
		return load.Wrong(err, !slices.Equal(told, done), "the log of a person")
	})
}

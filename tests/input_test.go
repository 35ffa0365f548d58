package tests

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// marker is in every bad input; no answer may contain it.
const marker = "zqxjkv"

// badBodies returns bodies that a call which takes body must refuse, each by its name.
func badBodies(t *testing.T, body map[string]any) map[string][]byte {
	t.Helper()
	valid, err := json.Marshal(body)
	require.NoError(t, err)
	with := func(field string, value string) []byte {
		copied := maps.Clone(body)
		delete(copied, field)
		rest, err := json.Marshal(copied)
		require.NoError(t, err)
		comma := ","
		if len(copied) == 0 {
			comma = ""
		}
		return []byte(`{"` + field + `":` + value + comma + string(rest[1:]))
	}
	long := strings.Repeat(marker, 20_000)
	bad := map[string][]byte{
		"cut off":        valid[:len(valid)-1],
		"not JSON":       []byte(marker),
		"trailing":       append(slices.Clone(valid), []byte(`{"`+marker+`":1}`)...),
		"an array":       []byte(`["` + marker + `"]`),
		"a string":       []byte(`"` + marker + `"`),
		"null":           []byte(`null`),
		"unknown field":  with(marker, `1`),
		"a whole file":   []byte(`{"` + marker + `":"` + strings.Repeat("x", 2<<20) + `"}`),
		"deep nesting":   with(marker, strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)),
		"UTF-16":         []byte("\xff\xfe{\x00}\x00"),
		"a second BOM":   append([]byte("\xef\xbb\xbf"), valid...),
		"lone surrogate": with(marker, `"\ud800"`),
	}
	for field := range body {
		bad[field+" is an object"] = with(field, `{"`+marker+`":1}`)
		bad[field+" is an array"] = with(field, `["`+marker+`"]`)
		bad[field+" is overlong"] = with(field, `"`+long+`"`)
		bad[field+" has NUL"] = with(field, `"`+marker+`\u0000"`)
		bad[field+" is not UTF-8"] = with(field, "\""+marker+"\xff\xfe\"")
		bad[field+" is huge"] = with(field, `1e400`)
		bad[field+" is large"] = with(field, `99999999999999999999`)
		bad[field+" is very negative"] = with(field, `-99999999999999999999`)
		bad[field+" twice"] = []byte(`{"` + field + `":"` + marker + `",` + string(valid[1:]))
		bad[field+" in another casing"] = with(strings.ToUpper(field), `1`)
	}
	return bad
}

// fingerprint is a digest of everything that a person's calls could write. Of a session it is the id alone: when it was used last moves by itself.
const fingerprint = `
SELECT md5(concat(
    (SELECT string_agg(u::text, '|' ORDER BY id) FROM auth_user u),
    (SELECT string_agg(c::text, '|' ORDER BY id) FROM auth_code c),
    (SELECT string_agg(c::text, '|' ORDER BY id) FROM auth_email_change c),
    (SELECT string_agg(s.id::text, '|' ORDER BY id) FROM auth_session s),
    (SELECT string_agg(d::text, '|' ORDER BY id) FROM auth_device d),
    (SELECT string_agg(r::text, '|' ORDER BY id) FROM residence_residence r),
    (SELECT string_agg(m::text, '|' ORDER BY residence_id, user_id) FROM residence_member m),
    (SELECT string_agg(s::text, '|' ORDER BY residence_id) FROM residence_share_code s),
    (SELECT string_agg(c::text, '|' ORDER BY id) FROM residence_contractor c),
    (SELECT string_agg(s::text, '|' ORDER BY contractor_id, specialty_id) FROM residence_contractor_specialty s),
    (SELECT string_agg(t::text, '|' ORDER BY id) FROM task_task t),
    (SELECT string_agg(c::text, '|' ORDER BY id) FROM task_taskcompletion c),
    (SELECT string_agg(p::text, '|' ORDER BY id) FROM pending_uploads p),
    (SELECT string_agg(d::text, '|' ORDER BY id) FROM upload_document d),
    (SELECT string_agg(f::text, '|' ORDER BY id) FROM upload_media f),
    (SELECT string_agg(e.id::text, '|' ORDER BY id) FROM outbox_event e),
    (SELECT string_agg(m::text, '|' ORDER BY id) FROM notification_message m),
    (SELECT string_agg(concat(encode(i.key_hash, 'hex'), i.answer), '|' ORDER BY key_hash) FROM shared_idempotency i)))`

// TestBadInput sends everything wrong that the matrix can think of to every operation: only 4xx problem documents
// come back, nothing is written, and no submitted value is in any answer.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	f := newFixture(t, s)
	db := owner(t, s)
	ctx := within(t, 5*time.Minute)
	settle(ctx, t, s, db)
	before := value[string](t, db, fingerprint)
	sent := 0
	for _, o := range operations(t, s) {
		sent += o.badBodies(ctx, t, f) + o.badPaths(ctx, t, f) + o.badHeaders(ctx, t, f)
	}
	require.Equal(t, before, value[string](t, db, fingerprint), "something was written")
	t.Logf("%d bad requests refused", sent)
}

func clientErrors() []int {
	return []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}
}

func (o operation) badBodies(ctx context.Context, t *testing.T, f *fixture) int {
	t.Helper()
	if o.body == nil {
		return 0
	}
	bad := badBodies(t, o.body(f))
	for name, body := range bad {
		refused(t, o.name+": "+name, o.send(ctx, t, f, f.owner.Token, body), clientErrors()...)
	}
	return len(bad)
}

// badPaths replaces each id by what is none, by what does not exist, and by one that is a stranger's.
func (o operation) badPaths(ctx context.Context, t *testing.T, f *fixture) int {
	t.Helper()
	if !strings.Contains(o.path, "{id}") {
		return 0
	}
	bad := []string{"0", "-1", marker, "1.5", "99999999999999999999", "9223372036854775807", "%00", "%2e%2e", "1%2f2", "١"}
	for _, id := range bad {
		path := f.path(strings.Replace(o.path, "{id}", id, 1))
		refused(t, o.name+" with id "+id, o.sendTo(ctx, t, f, path, f.owner.Token, o.validBody(f)), append(clientErrors(), http.StatusMethodNotAllowed)...)
	}
	refused(t, o.name+" beyond its path", o.sendTo(ctx, t, f, f.path(o.path)+"typo/", f.owner.Token, o.validBody(f)), http.StatusNotFound, http.StatusMethodNotAllowed)
	return len(bad) + 1
}

// badHeaders sends tokens and zones that are none.
func (o operation) badHeaders(ctx context.Context, t *testing.T, f *fixture) int {
	t.Helper()
	if o.who == anybody {
		return 0
	}
	tokens := []string{marker, "hd_" + marker, "hd_" + strings.Repeat(marker, 1000)}
	for _, token := range tokens {
		refused(t, o.name+" with a token that is none", o.send(ctx, t, f, token, o.validBody(f)), http.StatusUnauthorized)
	}
	return len(tokens)
}

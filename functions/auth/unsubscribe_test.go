package main

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"mime/multipart"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/notice"
)

func linkOf(token string) string { return notices + "unsubscribe/?token=" + url.QueryEscape(token) }

func as(contentType string) functiontest.Header {
	return functiontest.Header{Name: "Content-Type", Value: contentType}
}

// browser is what browsers accept.
func browser() functiontest.Header {
	return functiontest.Header{Name: "Accept", Value: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
}

// The one click of RFC 8058, as mail programs send it, with whatever body and without signing in.
func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var form strings.Builder
	parts := multipart.NewWriter(&form)
	require.NoError(t, parts.WriteField("List-Unsubscribe", "One-Click"))
	require.NoError(t, parts.Close())
	for name, c := range map[string]struct {
		body        any
		contentType string
	}{
		"form":      {"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"},
		"multipart": {form.String(), parts.FormDataContentType()},
		"nothing":   {nil, ""},
		"no type":   {"List-Unsubscribe=One-Click", ""},
		"JSON":      {`{"x":1}`, "application/json"},
		"nonsense":  {strings.Repeat("\x00", 4096), "x/y; ="},
	} {
		ann, bob := b.person(t, "ann"), b.person(t, "bob")
		before := b.preferences(t, ann.Token)
		for range 2 {
			r := b.Call(t, "POST", linkOf(codeKey().Unsubscribe(ann.ID, notice.TaskOverdue)), "", c.body, as(c.contentType))
			require.Equal(t, 204, r.Status, "%s: %s", name, r.Body)
			require.Empty(t, r.Body)
			want := before
			want.Types.TaskOverdue.Email = false
			require.Equal(t, want, b.preferences(t, ann.Token), name)
		}
		require.Equal(t, before, b.preferences(t, bob.Token))
		b.prefer(t, ann.Token, `{"types": {"task_overdue": {"email": true}}}`)
		require.Equal(t, before, b.preferences(t, ann.Token), "on again")
	}
}

func TestUnsubscribePage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "Annabel")
	before := b.preferences(t, ann.Token)
	for _, typ := range notice.Switchable() {
		link := linkOf(codeKey().Unsubscribe(ann.ID, typ))
		asked := b.Call(t, "GET", link, "", nil)
		isPage(t, asked, 200)
		require.Contains(t, string(asked.Body), `<form method="post"><button>`)
		require.Contains(t, string(asked.Body), unsubscribePage{Type: typ}.About())
		require.NotEmpty(t, unsubscribePage{Type: typ}.About(), typ)
		require.Equal(t, 200, b.Call(t, "HEAD", link, "", nil).Status)
		require.Equal(t, before, b.preferences(t, ann.Token), "opening a link changes nothing")
		for _, r := range []functiontest.Response{asked, b.Call(t, "GET", link, "", nil, browser())} {
			require.NotContains(t, string(r.Body), "Annabel")
			require.NotContains(t, string(r.Body), "example.com")
		}
	}
	done := b.Call(t, "POST", linkOf(codeKey().Unsubscribe(ann.ID, notice.TaskAssigned)), "", "", browser(), as("application/x-www-form-urlencoded"))
	isPage(t, done, 200)
	require.Contains(t, string(done.Body), "You get no more mails about tasks that are given to you.")
	require.Contains(t, string(done.Body), "switch them on")
	require.NotContains(t, string(done.Body), "<form")
	require.False(t, b.preferences(t, ann.Token).Types.TaskAssigned.Email)
}

// isPage checks that an answer is a page which loads nothing, runs nothing, and shows the style that its policy allows.
func isPage(t *testing.T, r functiontest.Response, status int) {
	t.Helper()
	require.Equal(t, status, r.Status, string(r.Body))
	require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", r.Header.Get("Referrer-Policy"))
	policy := r.Header.Get("Content-Security-Policy")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindSubmatch(r.Body)
	require.NotNil(t, style)
	sum := sha256.Sum256(style[1])
	require.Contains(t, policy, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; form-action 'self'")
	require.NotRegexp(t, `(?i)https?:|src=|href=|<script|@import|url\(`, string(r.Body))
	require.Contains(t, string(r.Body), `name="viewport"`)
	require.Contains(t, string(r.Body), "prefers-color-scheme: dark")
}

// A token that is none of ours, or of mails that are always sent, changes nothing and is not told of anywhere.
func TestForgedUnsubscribe(t *testing.T) {
	t.Parallel()
	logged := &lines{}
	b := &bundle{}
	b.Server = functiontest.Start(t, "auth", func(base *function.Base) func(huma.API) {
		base.Log = slog.New(slog.NewJSONHandler(logged, nil))
		return b.routes(base)
	})
	ann := b.person(t, "ann")
	before := functiontest.Value[string](t, b.Server, `SELECT u::text FROM auth_user u WHERE id = $1`, ann.ID)
	right := codeKey().Unsubscribe(ann.ID, notice.TaskOverdue)
	for _, token := range []string{
		"secret", right + "x", right[:len(right)-1], strings.Replace(right, "overdue", "assigned", 1), "0" + right, strings.ToUpper(right),
		code.Key(strings.Repeat("o", 32)).Unsubscribe(ann.ID, notice.TaskOverdue),
		codeKey().Unsubscribe(ann.ID, notice.Security), codeKey().Unsubscribe(ann.ID, notice.EmailVerification), codeKey().Unsubscribe(ann.ID, "secret"),
	} {
		for _, method := range []string{"GET", "POST"} {
			r := b.Call(t, method, linkOf(token), "", nil)
			functiontest.Refused(t, r, 404)
			require.NotContains(t, string(r.Body), token)
			r = b.Call(t, method, linkOf(token), "", nil, browser())
			isPage(t, r, 404)
			require.NotContains(t, string(r.Body), token)
			require.NotContains(t, string(r.Body), "<form")
		}
	}
	for _, query := range []string{"", "?token=", "?token=" + strings.Repeat("secret", 50), "?secret=1", "?token=x&secret=1"} {
		r := b.Call(t, "POST", notices+"unsubscribe/"+query, "", nil)
		functiontest.Refused(t, r, 422)
		require.NotContains(t, string(r.Body), "secret")
	}
	require.Equal(t, before, functiontest.Value[string](t, b.Server, `SELECT u::text FROM auth_user u WHERE id = $1`, ann.ID))
	require.Equal(t, 204, b.Call(t, "POST", linkOf(right), "", nil).Status)
	require.Equal(t, 204, b.Call(t, "POST", linkOf(codeKey().Unsubscribe(987654321, notice.TaskOverdue)), "", nil).Status, "who is gone is not told of")
	require.NotContains(t, logged.String(), "secret")
	require.NotContains(t, logged.String(), right)
}

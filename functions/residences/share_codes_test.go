package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

func TestNewCode(t *testing.T) {
	t.Parallel()
	const n = 20_000
	count := map[rune]int{}
	for range n {
		code := newCode()
		require.Regexp(t, `^[A-HJKMNP-Z2-9]{8}$`, code)
		for _, c := range code {
			count[c]++
		}
	}
	require.Len(t, count, len(codeAlphabet))
	mean := float64(n*codeLength) / float64(len(codeAlphabet))
	for c, times := range count {
		// Seven standard deviations: a fair generator misses this once in billions of runs.
		require.InDelta(t, mean, times, 7*72, string(c))
	}
}

func TestCodesAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"7kq2mwxa", "7KQ2-MWXA", " 7kq2 mwxa ", "7kq2–mwxa", "7 K Q 2\u00a0M W X A\n"} {
		require.Equal(t, hashCode("7KQ2MWXA"), hashCode(typed), typed)
	}
	for _, typed := range []string{"7KQ2MWX", "7KQ2MWXAA", "7KQ2.MWXA", ""} {
		require.NotEqual(t, hashCode("7KQ2MWXA"), hashCode(typed), typed)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for body, hours := range map[any]int{nil: 24, `{}`: 24, `{"expires_in_hours":1}`: 1, `{"expires_in_hours":168}`: 168} {
		made := functiontest.Read[ShareCode](t, b.Call(t, "POST", b.path("share"), b.owner.Token, body), 201)
		require.WithinDuration(t, time.Now().Add(time.Duration(hours)*time.Hour), made.ExpiresAt, time.Minute)
		stored := functiontest.Value[[]byte](t, b.Server, `SELECT code_hash FROM residence_share_code WHERE residence_id = $1`, b.home)
		require.Equal(t, hashCode(made.Code), stored)
		require.NotContains(t, b.state(t), made.Code)
	}
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_share_code`))
	for range 2 {
		require.Equal(t, 204, b.Call(t, "DELETE", b.path("share"), b.owner.Token, nil).Status)
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_share_code`))
	}
}

// join tries a code.
func (b *bundle) join(t *testing.T, p functiontest.Person, code string, headers ...functiontest.Header) functiontest.Response {
	t.Helper()
	return b.Call(t, "POST", all+"join/", p.Token, map[string]string{"code": code}, headers...)
}

func TestJoin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.KeepBoards(t, b.owner, b.member, b.viewer, b.stranger)
	old, code := b.share(t), b.share(t)
	functiontest.Refused(t, b.join(t, b.stranger, old), 404)
	functiontest.Refused(t, b.join(t, b.stranger, "AAAAAAAA"), 404)

	// Whoever is in already gets the home, in their own role, and leaves the code for someone else.
	before := b.state(t)
	require.Equal(t, home.Viewer, functiontest.Read[Residence](t, b.join(t, b.viewer, code), 200).Role)
	require.Equal(t, home.Owner, functiontest.Read[Residence](t, b.join(t, b.owner, code), 200).Role)
	require.Equal(t, before, b.state(t))

	kept := b.KeepBoards(t, b.owner, b.member, b.viewer, b.stranger)
	joined := functiontest.Read[Residence](t, b.join(t, b.stranger, " "+strings.ToLower(code[:4])+" - "+code[4:]), 200)
	require.False(t, kept(b.owner) || kept(b.member) || kept(b.viewer) || kept(b.stranger))
	require.Equal(t, b.home, joined.ID)
	require.Equal(t, home.Member, joined.Role)
	require.Contains(t, b.roles(t), is(b.stranger, home.Member))
	require.Equal(t, []string{fmt.Sprintf(`com.myhoneydue.residence.member_joined.v1 {"user_id": %d, "residence_id": %d}`, b.stranger.ID, b.home)}, b.Events(t))
	require.Equal(t, joined, functiontest.Read[Residence](t, b.Call(t, "GET", b.path(), b.stranger.Token, nil), 200))

	other := b.Person(t, "zoe")
	functiontest.Refused(t, b.join(t, other, code), 404)
	code = b.share(t)
	b.Exec(t, `UPDATE residence_share_code SET expires_at = now()`)
	functiontest.Refused(t, b.join(t, other, code), 404)
	code = b.share(t)
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("share"), b.owner.Token, nil).Status)
	functiontest.Refused(t, b.join(t, other, code), 404)
	require.NotContains(t, b.roles(t), is(other, home.Member))
}

func TestJoinTwiceWithOneKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code, key := b.share(t), functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	first := b.join(t, b.stranger, code, key)
	require.Equal(t, 200, first.Status)
	again := b.join(t, b.stranger, code, key)
	require.Equal(t, 200, again.Status)
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	require.JSONEq(t, string(first.Body), string(again.Body))
	functiontest.Refused(t, b.join(t, b.stranger, "AAAAAAAA", key), 422)
	functiontest.Refused(t, b.join(t, b.stranger, b.share(t), key), 422)
	functiontest.Refused(t, b.join(t, b.Person(t, "zoe"), code, key), 404)
	require.Len(t, b.Events(t), 1)

	// The stored answer is not for someone who belongs to the home no more.
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.stranger.ID), b.owner.Token, nil).Status)
	functiontest.Refused(t, b.join(t, b.stranger, code, key), 404)
	require.NotContains(t, b.roles(t), is(b.stranger, home.Member))
}

func TestJoinIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from := func(address string) functiontest.Header {
		return functiontest.Header{Name: "X-Forwarded-For", Value: address}
	}
	code := b.share(t)
	for range 3 {
		p := b.Person(t, "guesser")
		for range 10 {
			functiontest.Refused(t, b.join(t, p, "AAAAAAAA", from("203.0.113.7")), 404)
		}
		r := b.join(t, p, code, from("198.51.100.1"))
		functiontest.Refused(t, r, 429)
		require.NotEmpty(t, r.Header.Get("Retry-After"))
	}
	functiontest.Refused(t, b.join(t, b.stranger, code, from("203.0.113.7")), 429)
	require.NotContains(t, b.roles(t), is(b.stranger, home.Member))
	functiontest.Read[Residence](t, b.join(t, b.stranger, code, from("203.0.113.8")), 200)
}

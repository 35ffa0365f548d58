//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// A caller signs in with a wrong password, from an address and with headers of its choice.
type caller struct {
	from    string // an address of this machine
	headers http.Header
}

func (who caller) signIn(ctx context.Context, t *testing.T, c *cluster.Cluster, email string) int {
	t.Helper()
	phone := c.PhoneAt(netip.MustParseAddr(who.from))
	transport := phone.Client.Transport
	phone.Client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Del("X-Forwarded-For")
		for name, values := range who.headers {
			r.Header[name] = values
		}
		return transport.RoundTrip(r)
	})
	defer phone.Client.CloseIdleConnections()
	got, err := phone.Call(ctx, http.MethodPost, "/api/auth/login/", map[string]any{"email": email, "password": "not the right one"}, "")
	require.NoError(t, err)
	return got.Status
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// said is what the edge passes on about a client.
func said(chain ...string) http.Header { return http.Header{"X-Forwarded-For": chain} }

// TestAddressesAreTold: the limit of tries for an account counts by address. Two clients have two limits, behind the edge
// and beside it, and nobody takes another's by what they claim.
func TestAddressesAreTold(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	person, err := story.Register(ctx, c.Phone(), "Olive")
	require.NoError(t, err)
	const tries = 5
	for name, who := range map[string]struct{ spent, other caller }{
		"beside the edge": {caller{from: "127.9.0.1"}, caller{from: "127.9.0.2"}},
		"behind the edge": {
			caller{from: cluster.Edge, headers: said("203.0.113.1")}, caller{from: cluster.Edge, headers: said("203.0.113.2")},
		},
		"behind the edge, IPv6": {
			caller{from: cluster.Edge, headers: said("2001:db8:0:1::1")}, caller{from: cluster.Edge, headers: said("2001:db8:0:2::1")},
		},
	} {
		for range tries {
			require.Equal(t, http.StatusUnauthorized, who.spent.signIn(ctx, t, c, person.Email), name)
		}
		require.Equal(t, http.StatusTooManyRequests, who.spent.signIn(ctx, t, c, person.Email), name)
		require.Equal(t, http.StatusUnauthorized, who.other.signIn(ctx, t, c, person.Email), name)
	}

	for name, forger := range map[string]caller{
		"another address":           {"127.9.0.1", said("127.9.0.2")},
		"an address of the edge":    {"127.9.0.1", said("127.0.1.7")},
		"an address of the node":    {"127.9.0.1", said("203.0.113.77, 10.250.0.1")},
		"several":                   {"127.9.0.1", said("203.0.113.77", "203.0.113.78, 10.42.0.9")},
		"other headers":             {"127.9.0.1", http.Header{"X-Real-Ip": {"203.0.113.77"}, "Cf-Connecting-Ip": {"203.0.113.77"}, "True-Client-Ip": {"203.0.113.77"}, "Forwarded": {"for=203.0.113.77"}}},
		"to the edge":               {cluster.Edge, said("203.0.113.77, 203.0.113.1")},
		"to the edge, as two lines": {cluster.Edge, said("203.0.113.77", "203.0.113.1")},
		"to the edge, as the node":  {cluster.Edge, said("203.0.113.77, 10.250.0.1, 203.0.113.1")},
		"to the edge, of one home":  {cluster.Edge, said("2001:db8:0:1:ffff::2")},
	} {
		require.Equal(t, http.StatusTooManyRequests, forger.signIn(ctx, t, c, person.Email), name)
	}
	require.NoError(t, person.SignIn(ctx), "nobody else was locked out")
}

// TestFloodsEndAtTheIngress: who calls auth too often is turned away before a function hears of it, and nobody else is.
func TestFloodsEndAtTheIngress(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	phone := func(address string) *story.Phone {
		p := c.PhoneAt(netip.MustParseAddr(cluster.Edge))
		p.Address = address
		return p
	}
	flood, other := phone("203.0.113.200"), phone("203.0.113.201")
	const calls = 150
	turnedAway := 0
	for range calls {
		got, err := flood.Call(ctx, http.MethodGet, "/api/auth/me/", nil, "")
		require.NoError(t, err)
		if got.Status == http.StatusTooManyRequests {
			require.NotEqual(t, "application/problem+json", got.Header.Get("Content-Type"), "it is the ingress that answers")
			require.NotEmpty(t, got.Header.Get("Retry-After"))
			turnedAway++
		}
	}
	require.Positive(t, turnedAway)
	require.Less(t, turnedAway, calls-40, "a burst is let through")
	got, err := other.Call(ctx, http.MethodGet, "/api/auth/me/", nil, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, got.Status)
	t.Logf("%d of %d calls in a row turned away", turnedAway, calls)
}

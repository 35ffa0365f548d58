package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
)

func TestClient(t *testing.T) {
	t.Parallel()
	var proxies api.Proxies
	require.NoError(t, proxies.Decode("10.0.0.0/8, 173.245.48.0/20,fd00::/8"))
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"a stranger is the peer":             {"203.0.113.9:1", nil, "203.0.113.9"},
		"a stranger's header is not read":    {"203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		"ours tells the client":              {"10.1.2.3:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"a forged first entry":               {"10.1.2.3:1", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		"two of ours and the edge":           {"10.1.2.3:1", []string{"1.1.1.1, 198.51.100.1, 173.245.48.7", "10.9.9.9"}, "198.51.100.1"},
		"nonsense ends the search":           {"10.1.2.3:1", []string{"198.51.100.1, nonsense"}, "10.1.2.3"},
		"no header":                          {"10.1.2.3:1", nil, "10.1.2.3"},
		"IPv6 counts by /64":                 {"[2001:db8:1:2:3:4:5:6]:1", nil, "2001:db8:1:2::/64"},
		"IPv6 behind ours":                   {"[fd00::1]:1", []string{"2001:db8:1:2:ffff::1"}, "2001:db8:1:2::/64"},
		"IPv4 in IPv6":                       {"[::ffff:203.0.113.9]:1", nil, "203.0.113.9"},
		"no peer that can be read is nobody": {"@", nil, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwarded
		require.Equal(t, c.want, proxies.Client(r), name)
	}
	require.Error(t, new(api.Proxies).Decode("10.0.0.0/8,hunter2"))
}

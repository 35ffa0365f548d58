package load

import (
	"net"
	"net/http"
	"strings"

	"github.com/honeydue/backend/tests/cluster"
)

// Host is the header of a call to the public host of its own that the function has: on one machine <function>.localhost, on a cluster
// that of the panel or the bare domain.
func (at *Site) Host(function string) http.Header {
	address := strings.TrimPrefix(at.URL, "http://")
	if _, port, err := net.SplitHostPort(address); err == nil {
		return http.Header{"Host": {net.JoinHostPort(function+".localhost", port)}}
	}
	_, domain, _ := strings.Cut(cluster.PublicHost, ".")
	if function == "site" {
		return http.Header{"Host": {domain}}
	}
	return http.Header{"Host": {function + "." + domain}}
}

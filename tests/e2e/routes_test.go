//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
)

// answer is what the ingress says to a request, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// raw sends a request to the ingress just as it is written, which no HTTP client would.
func raw(ctx context.Context, t *testing.T, c *cluster.Cluster, request string) answer {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.Environment.Ingress.Host)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	deadline, _ := ctx.Deadline()
	require.NoError(t, conn.SetDeadline(deadline))
	// What is refused while it is written has its answer all the same.
	_, cut := io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err, "after writing: %v", cut)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return answer{response.StatusCode, response.Header, string(body)}
}

// get asks for a path of a public host.
func get(ctx context.Context, t *testing.T, c *cluster.Cluster, host, path string, headers ...string) answer {
	t.Helper()
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: " + host, "Connection: close"}, headers...)
	return raw(ctx, t, c, strings.Join(lines, "\r\n")+"\r\n\r\n")
}

// TestWhatEventsWakeIsNotPublic: no way of writing a request from outside reaches the Broker or a function that only
// events reach, nor a function by its name inside.
func TestWhatEventsWakeIsNotPublic(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	tick := "Content-Type: application/json\r\nCe-Specversion: 1.0\r\nCe-Id: outside\r\nCe-Type: dev.knative.sources.ping\r\n" +
		"Ce-Source: /apis/v1/namespaces/honeydue/pingsources/outbox\r\nConnection: close\r\nContent-Length: 2\r\n"
	refused := func(request string) {
		t.Helper()
		got := raw(ctx, t, c, request)
		require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"), request)
		if got.status == http.StatusBadRequest {
			// Traefik's HTTP server could not read the request, and asked nobody: else there would be a date.
			require.Contains(t, got.body, "400 Bad Request", request)
			require.Empty(t, got.header.Get("Date"), request)
			return
		}
		// The activator has words of its own for what it does not know.
		require.Equal(t, http.StatusNotFound, got.status, "%s\n%s", request, got.body)
		require.Equal(t, "404 page not found\n", got.body, request)
	}
	for target, path := range map[string]string{
		"notifications.honeydue": "/", "media.honeydue": "/", "sweeper.honeydue": "/", "auth.honeydue": "/api/auth/me/", "site.honeydue": "/api/health/",
		"broker-ingress.knative-eventing": "/honeydue/default", "activator-service.knative-serving": "/",
	} {
		name, _, _ := strings.Cut(target, ".")
		hosts := []string{name, target, target + ".svc", target + ".svc.cluster.local", name + ".myhoneydue.com"}
		for _, host := range hosts {
			for _, host := range []string{host, host + ".", host + ":80", host + ".:8000", strings.ToUpper(host)} {
				refused("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + tick + "\r\n{}")
				refused("POST http://" + host + path + " HTTP/1.1\r\nHost: " + cluster.PublicHost + "\r\n" + tick + "\r\n{}")
				refused("POST " + path + " HTTP/1.1\r\nHost: " + cluster.PublicHost + "\r\nHost: " + host + "\r\n" + tick + "\r\n{}")
				refused("POST " + path + " HTTP/1.0\r\nHost: " + host + "\r\n" + tick + "\r\n{}")
				for _, header := range []string{"X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server", "Forwarded: host=", "Knative-Serving-Namespace", "K-Network-Hash"} {
					line := header + ": " + host
					if strings.HasSuffix(header, "=") {
						line = header + host
					}
					// The tick's path exists nowhere outside.
					refused("POST /events HTTP/1.1\r\nHost: " + cluster.PublicHost + "\r\n" + line + "\r\n" + tick + "\r\n{}")
				}
			}
		}
	}
	for _, path := range []string{"/honeydue/default", "/api/notifications.honeydue/", "/api/auth/../../honeydue/default", "//sweeper.honeydue.svc.cluster.local/", "/api/sweeper/"} {
		refused("POST " + path + " HTTP/1.1\r\nHost: " + cluster.PublicHost + "\r\n" + tick + "\r\n{}")
	}
}

// TestHostHeadersChangeNothing: a public path is answered by its function, whatever else the request claims about hosts.
func TestHostHeadersChangeNothing(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	for _, host := range []string{cluster.PublicHost, "API.MyHoneyDue.com", cluster.PublicHost + ":443", cluster.PublicHost + "."} {
		for _, header := range []string{"X-Forwarded-Host: sweeper.honeydue.svc.cluster.local", "X-Forwarded-Prefix: /x", "X-Forwarded-Uri: /", "Connection: close, Host"} {
			got := get(ctx, t, c, host, "/api/auth/me/", header)
			require.Equal(t, http.StatusUnauthorized, got.status, "%s with %s: %s", host, header, got.body)
			require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		}
	}
}

func TestHosts(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	home := get(ctx, t, c, "myhoneydue.com", "/")
	require.Equal(t, http.StatusOK, home.status)
	require.Contains(t, home.body, "<h1>Your home, looked")
	panel := get(ctx, t, c, "admin.myhoneydue.com", "/sign-in/")
	require.Equal(t, http.StatusOK, panel.status)
	require.Contains(t, panel.body, "<h1>Sign in</h1>")
	// These have no route.
	for _, host := range []string{"example.com", "www.example.com", "127.0.0.1", "localhost", ""} {
		require.Equal(t, http.StatusNotFound, get(ctx, t, c, host, "/api/health/").status, host)
	}
	require.Equal(t, http.StatusNotFound, get(ctx, t, c, cluster.PublicHost, "/api/tasks-and-more/").status)
}

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	for _, f := range c.Manifests.Functions {
		for _, path := range f.Paths {
			got := get(ctx, t, c, cluster.PublicHost, path+"/")
			require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"), path)
			require.Equal(t, "DENY", got.header.Get("X-Frame-Options"), path)
			require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"), path)
			require.NotEmpty(t, got.header.Get("Permissions-Policy"), path)
			require.Empty(t, got.header.Get("Server"), path)
		}
	}
}

// TestLargeBodies: a little too large is the function's to refuse, in its own words; far too large ends at the ingress.
func TestLargeBodies(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	post := func(size int, chunked bool) answer {
		t.Helper()
		body := bytes.Repeat([]byte(" "), size)
		length := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body)
		if chunked {
			length = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body)
		}
		return raw(ctx, t, c, "POST /api/auth/login/ HTTP/1.1\r\nHost: "+cluster.PublicHost+
			"\r\nContent-Type: application/json\r\nConnection: close\r\n"+length)
	}
	for _, chunked := range []bool{false, true} {
		little := post(3<<19, chunked)
		require.Equal(t, http.StatusRequestEntityTooLarge, little.status)
		require.Equal(t, "application/problem+json", little.header.Get("Content-Type"))
		far := post(5<<19, chunked)
		require.Equal(t, http.StatusRequestEntityTooLarge, far.status)
		require.NotEqual(t, "application/problem+json", far.header.Get("Content-Type"))
	}
}

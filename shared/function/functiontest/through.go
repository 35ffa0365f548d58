package functiontest

import (
	"net/url"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
)

// DatabaseAt returns the host and port of a test's database, as functions reach it.
func DatabaseAt(t testing.TB, db *devtest.Database) string {
	t.Helper()
	return parsed(t, db.URL("nobody")).Host
}

// StartThrough is StartOn with one connection to the database in the query mode of production, by way of a proxy at that host and
// port. Events are written and not published, so that the connection carries requests alone.
func StartThrough(t testing.TB, db *devtest.Database, proxy, name string, routes func(*function.Base) func(huma.API)) *Server {
	t.Helper()
	address := parsed(t, db.URL("honeydue_"+name))
	address.Host = proxy
	s := start(t, db, name, database(t, address.String(), "exec", 1), 4*time.Second, routes)
	s.Base.Outbox.Tasks = dropped{}
	return s
}

func parsed(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

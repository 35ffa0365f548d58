package devserver

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

const loopback = "127.0.0.1"

// checkNetwork returns an error when Host or Network is not what it must be.
func (o Options) checkNetwork() error {
	if o.Host == "" && o.Network == "" {
		return nil
	}
	if _, err := netip.ParseAddr(o.Host); err != nil {
		return fmt.Errorf("read options: Host: %w", err)
	}
	if o.Network == "" {
		return nil
	}
	if _, err := netip.ParsePrefix(o.Network); err != nil {
		return fmt.Errorf("read options: Network: %w", err)
	}
	return nil
}

// listen returns the addresses to listen on.
func (o Options) listen(separator string) string {
	if o.Host == "" {
		return loopback
	}
	return loopback + separator + o.Host
}

// rules say who must give a password, in the format of pg_hba.conf, and which role nobody of the network may have;
// empty is none. Whom no line names is refused.
func (o Options) rules(closed string) string {
	rules := "host all all " + loopback + "/32 trust\n"
	if o.Network == "" {
		return rules
	}
	if closed != "" {
		rules += "host all " + closed + " " + o.Network + " reject\n"
	}
	return rules + "host all all " + o.Network + " scram-sha-256\n"
}

// address returns the URL of a database for a role on the loopback address.
func address(port int, role, database string) string {
	return databaseURL(loopback, port, url.User(role), database)
}

// networkAddress returns the URL of a database for a role with a password at another host.
func networkAddress(host string, port int, role, password, database string) string {
	return databaseURL(host, port, url.UserPassword(role, password), database)
}

func databaseURL(host string, port int, user *url.Userinfo, database string) string {
	u := url.URL{
		Scheme: "postgres", User: user, Host: net.JoinHostPort(host, strconv.Itoa(port)),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

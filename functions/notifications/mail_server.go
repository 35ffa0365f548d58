package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
)

type mailConfig struct {
	Server   mailServer    `envconfig:"SMTP_URL" required:"true"`
	From     sender        `envconfig:"MAIL_FROM" required:"true"`
	Deadline time.Duration `envconfig:"MAIL_DEADLINE" default:"10s"`
}

// A mailServer is where mails are handed in.
type mailServer struct {
	host     string
	port     int
	user     *url.Userinfo // nil: nobody signs in
	name     string        // ours, as HELO says it
	tlsFirst bool          // TLS from the first byte
	policy   mail.TLSPolicy
	trust    *x509.CertPool // nil: what the system trusts
}

var errServerURL = errors.New("not smtp://[user:password@]host[:port][?tls=none|starttls] or smtps://…")

// Decode reads smtp://host:port, where STARTTLS is required unless the host is this machine, which may do without;
// ?tls=starttls requires it everywhere and ?tls=none forgoes it. smtps:// speaks TLS at once.
func (m *mailServer) Decode(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return errServerURL
	}
	port, policy := 587, mail.TLSMandatory
	mode := u.Query().Get("tls")
	switch {
	case u.Scheme == "smtps" && mode == "":
		// A client of this policy looks whether the connection is encrypted already, which a password waits for.
		port, policy = 465, mail.TLSOpportunistic
	case u.Scheme == "smtp" && mode == "none":
		policy = mail.NoTLS
	case u.Scheme == "smtp" && mode == "" && isLoopback(u.Hostname()):
		policy = mail.TLSOpportunistic
	case u.Scheme == "smtp" && (mode == "" || mode == "starttls"):
	default:
		return errServerURL
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return errServerURL
		}
	}
	*m = mailServer{host: u.Hostname(), port: port, user: u.User, tlsFirst: u.Scheme == "smtps", policy: policy}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// dial connects, speaks TLS and signs in as the address says. All of it, what follows in the conversation, and
// its end happen before the deadline that ctx must have.
func (m mailServer) dial(ctx context.Context) (*conversation, error) {
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.host, strconv.Itoa(m.port)))
	if err != nil {
		return nil, connecting(err)
	}
	until, _ := ctx.Deadline()
	var conn net.Conn = &bounded{Conn: plain, until: until}
	if m.tlsFirst {
		conn = tls.Client(conn, m.tlsConfig())
	}
	c := &conversation{conn: conn}
	if c.client, err = mail.NewClient(m.host, m.options(until, conn)...); err == nil {
		c.session, err = c.client.DialToSMTPClientWithContext(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, connecting(err)
	}
	return c, nil
}

// options of a client for one conversation on conn. NOOP and RSET would be round trips for nothing, and a RSET
// that fails after the final dot would make a message look unsent.
func (m mailServer) options(until time.Time, conn net.Conn) []mail.Option {
	options := []mail.Option{
		mail.WithPort(m.port), mail.WithHELO(m.name), mail.WithTLSPolicy(m.policy), mail.WithTLSConfig(m.tlsConfig()),
		mail.WithTimeout(max(time.Until(until), time.Millisecond)), mail.WithoutNoop(), mail.WithoutRset(),
		mail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
	}
	if password, ok := m.user.Password(); ok {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(m.user.Username()), mail.WithPassword(password))
	}
	return options
}

func (m mailServer) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: m.host, RootCAs: m.trust, MinVersion: tls.VersionTLS12}
}

// bounded is a connection whose deadline nobody moves past until. The client moves it with every phase, and a
// server that answers just in time each time would outlast the message's lease.
type bounded struct {
	net.Conn
	until time.Time
}

func (b *bounded) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(b.until) {
		t = b.until
	}
	return b.Conn.SetDeadline(t)
}

// connecting describes what went wrong before the server knew of any recipient. A server's own words may name the
// account that signs in, so only its code is kept.
func connecting(err error) error {
	return &failure{text: "connect to mail server: " + cause(err)}
}

func cause(err error) string {
	if code := replyCode(err); code != 0 {
		return fmt.Sprintf("it answered %d", code)
	}
	return err.Error()
}

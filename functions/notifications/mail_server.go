package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
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
		port, policy = 465, mail.NoTLS // no second one inside the first
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

// dial connects, speaks TLS and signs in as the address says, before the deadline that ctx must have. Any error is a [failure].
func (m mailServer) dial(ctx context.Context) (*conversation, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.host, strconv.Itoa(m.port)))
	if err != nil {
		return nil, trouble(phaseConnect, err)
	}
	c := &conversation{conn: conn}
	if at, err := m.begin(ctx, c); err != nil {
		c.drop()
		return nil, trouble(at, err)
	}
	return c, nil
}

// begin says all that comes before the first message, and returns where something went wrong.
func (m mailServer) begin(ctx context.Context, c *conversation) (at phase, err error) {
	c.bound(ctx)
	conn := c.conn
	if m.tlsFirst {
		encrypted := tls.Client(conn, m.tlsConfig())
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return phaseTLS, err
		}
		conn = encrypted
	}
	if c.session, err = smtp.NewClient(conn, m.host); err != nil {
		return phaseGreeting, err
	}
	if err := c.session.Hello(m.name); err != nil {
		return phaseHello, err
	}
	if !m.tlsFirst {
		if err := m.encrypt(c.session); err != nil {
			return phaseStartTLS, err
		}
	}
	return phaseAuth, m.signIn(c.session)
}

func (m mailServer) encrypt(session *smtp.Client) error {
	offered, _ := session.Extension("STARTTLS")
	switch {
	case m.policy == mail.NoTLS || m.policy == mail.TLSOpportunistic && !offered:
		return nil
	case !offered:
		return errors.New("the mail server does not offer it")
	default:
		return session.StartTLS(m.tlsConfig())
	}
}

// signIn proves who we are, where the address has a password.
func (m mailServer) signIn(session *smtp.Client) error {
	user := m.user.Username()
	password, ok := m.user.Password()
	if !ok {
		return nil
	}
	_, offered := session.Extension("AUTH")
	state, err := session.GetTLSConnectionState()
	var auth smtp.Auth
	switch mechanism(strings.Fields(offered), err == nil) {
	case "SCRAM-SHA-256-PLUS":
		auth = smtp.ScramSHA256PlusAuth(user, password, state)
	case "SCRAM-SHA-256":
		auth = smtp.ScramSHA256Auth(user, password)
	case "PLAIN":
		auth = smtp.PlainAuth("", user, password, m.host, false)
	case "LOGIN":
		auth = smtp.LoginAuth(user, password, m.host, false)
	case "CRAM-MD5":
		auth = smtp.CRAMMD5Auth(user, password)
	default:
		return errors.New("the mail server offers no way to sign in that this connection is safe for")
	}
	err = session.Auth(auth)
	if err == nil || replyCode(err) != 0 || isTimeout(err) || brokeOff(err) {
		return err
	}
	return errors.New("the mail server's part in signing in is not right")
}

// mechanism returns the best way to sign in of those offered, and none that says the password where others may listen.
func mechanism(offered []string, encrypted bool) string {
	for _, m := range []struct {
		name           string
		onlyWhenHidden bool
	}{{"SCRAM-SHA-256-PLUS", true}, {"SCRAM-SHA-256", false}, {"PLAIN", true}, {"LOGIN", true}, {"CRAM-MD5", false}} {
		if slices.Contains(offered, m.name) && (encrypted || !m.onlyWhenHidden) {
			return m.name
		}
	}
	return ""
}

func (m mailServer) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: m.host, RootCAs: m.trust, MinVersion: tls.VersionTLS12}
}

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/wneessen/go-mail"
)

func TestMailServerURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mailServer{
		"smtp://mail.example.com":                 {host: "mail.example.com", port: 587, policy: mail.TLSMandatory},
		"smtp://mail.example.com:25?tls=starttls": {host: "mail.example.com", port: 25, policy: mail.TLSMandatory},
		"smtp://mail.example.com:25?tls=none":     {host: "mail.example.com", port: 25, policy: mail.NoTLS},
		"smtp://127.0.0.1:2525":                   {host: "127.0.0.1", port: 2525, policy: mail.TLSOpportunistic},
		"smtp://localhost:2525/?tls=starttls":     {host: "localhost", port: 2525, policy: mail.TLSMandatory},
		"smtps://[2001:db8::1]":                   {host: "2001:db8::1", port: 465, policy: mail.NoTLS, tlsFirst: true},
	} {
		var got mailServer
		require.NoError(t, got.Decode(text), text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://h:0", "smtp://h:70000", "smtp://h?tls=maybe",
		"smtps://h?tls=none", "smtp://h/path", "smtp://user:secret@h:x",
	} {
		err := new(mailServer).Decode(text)
		require.ErrorIs(t, err, errServerURL, text)
		require.NotContains(t, err.Error(), "secret")
	}
	require.Error(t, new(sender).Decode("honeyDue"))
}

func TestTLSAndSigningIn(t *testing.T) {
	t.Parallel()
	security, trust := certificate(t)
	cases := map[string]struct {
		scheme, user, query string
		offers              *tls.Config
		trust               *x509.CertPool
		refusal             string
		signedIn            bool
	}{
		"starttls":                   {"smtp", "mailer:p%40ss@", "?tls=starttls", security, trust, "", true},
		"tls first":                  {"smtps", "mailer:p%40ss@", "", security, trust, "", true},
		"tls first, nobody signs in": {"smtps", "", "", security, trust, "", false},
		"offered, so taken":          {"smtp", "mailer:p%40ss@", "", security, trust, "", true},
		"nothing but the dot":        {"smtp", "", "?tls=none", security, nil, "", false},
		"wrong password":             {"smtps", "mailer:wrong@", "", security, trust, "AUTH: the mail server answered 535 5.7.8", false},
		"starttls not offered":       {"smtp", "", "?tls=starttls", nil, trust, "STARTTLS: the mail server does not offer it", false},
		"certificate not trusted":    {"smtp", "", "?tls=starttls", security, x509.NewCertPool(), "certificate signed by unknown authority", false},
		"first, and not trusted":     {"smtps", "", "", security, x509.NewCertPool(), "certificate signed by unknown authority", false},
		"password in the clear":      {"smtp", "mailer:p%40ss@", "?tls=none", nil, nil, "", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, address := newMailbox(t, c.offers, c.scheme == "smtps")
			var server mailServer
			require.NoError(t, server.Decode(c.scheme+"://"+c.user+address+c.query))
			server.trust, server.name = c.trust, "myhoneydue.com"
			message, err := testComposer(t).compose(sample(typeAssigned))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			conversation, err := server.dial(ctx)
			if name == "password in the clear" {
				require.EqualError(t, err, "AUTH: the mail server offers no way to sign in that this connection is safe for")
				require.False(t, box.signedIn)
				return
			}
			if c.refusal != "" {
				require.ErrorContains(t, err, c.refusal)
				require.NotContains(t, err.Error(), "mailer")
				return
			}
			require.NoError(t, err)
			require.NoError(t, conversation.send(ctx, message))
			conversation.end()
			require.Equal(t, "ben@example.com", box.one(t).to)
			require.Equal(t, c.signedIn, box.signedIn)
			require.Equal(t, "myhoneydue.com", box.greeted)
		})
	}
}

func TestMechanisms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ offered, hidden, open string }{
		{"", "", ""},
		{"PLAIN LOGIN", "PLAIN", ""},
		{"LOGIN", "LOGIN", ""},
		{"LOGIN PLAIN CRAM-MD5", "PLAIN", "CRAM-MD5"},
		{"CRAM-MD5 PLAIN SCRAM-SHA-256", "SCRAM-SHA-256", "SCRAM-SHA-256"},
		{"SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"},
		{"NTLM XOAUTH2", "", ""},
	} {
		require.Equal(t, c.hidden, mechanism(strings.Fields(c.offered), true), c.offered)
		require.Equal(t, c.open, mechanism(strings.Fields(c.offered), false), c.offered)
	}
}

// certificate makes one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, pool
}

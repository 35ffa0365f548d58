package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pushConfig says how phones are reached. A platform without any of its keys is off.
type pushConfig struct {
	APNs apnsConfig
	FCM  fcmConfig
}

// apnsConfig is all of it or nothing. The key is a .p8 file, whose line breaks may be written as \n.
type apnsConfig struct {
	URL   string `envconfig:"APNS_URL" default:"https://api.push.apple.com"`
	Key   string `envconfig:"APNS_KEY"`
	KeyID string `envconfig:"APNS_KEY_ID"`
	Team  string `envconfig:"APNS_TEAM_ID"`
	Topic string `envconfig:"APNS_TOPIC"`
}

// fcmConfig has a service account's file, which is JSON.
type fcmConfig struct {
	URL         string `envconfig:"FCM_URL" default:"https://fcm.googleapis.com"`
	Credentials string `envconfig:"FCM_CREDENTIALS"`
}

// check returns an error that names what is missing.
func (c apnsConfig) check() error {
	var missing []string
	for _, v := range [][2]string{{"APNS_KEY", c.Key}, {"APNS_KEY_ID", c.KeyID}, {"APNS_TEAM_ID", c.Team}, {"APNS_TOPIC", c.Topic}} {
		if v[1] == "" {
			missing = append(missing, v[0])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("environment: no %s: pushes to ios need all of APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID and APNS_TOPIC, or none",
			strings.Join(missing, ", "))
	}
	return nil
}

var errPushURL = errors.New("is not https://host[:port]")

// checkURL returns an error unless text is an address of https. A double may be asked without TLS: it is on this machine or in a
// network of its own.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		return errPushURL
	}
	near := isLoopback(u.Hostname()) || net.ParseIP(u.Hostname()).IsPrivate()
	if u.Scheme != "https" && (u.Scheme != "http" || !near) {
		return errPushURL
	}
	return nil
}

// Connections are asked whether they live when nothing has come for pingAfter: a push must not wait for its deadline on one that
// a firewall has forgotten.
const (
	pingAfter   = 5 * time.Second
	pingTimeout = 3 * time.Second
	idleFor     = 10 * time.Minute
)

// newTransport keeps connections. Only HTTP/2 is spoken where it must be, also without TLS.
func newTransport(onlyHTTP2 bool) *http.Transport {
	t := &http.Transport{
		DialContext:       (&net.Dialer{KeepAlive: pingAfter}).DialContext,
		IdleConnTimeout:   idleFor,
		ForceAttemptHTTP2: true,
		// What comes at once shares the connection rather than open more: providers take many for an attack.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout, StrictMaxConcurrentRequests: true},
	}
	if onlyHTTP2 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP2(true)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return t
}

// asIs has a client follow no redirect: a provider has none, and the next address would learn token and text.
func asIs(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

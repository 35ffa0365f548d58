package cluster

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/honeydue/backend/tests/story"
)

// PublicHost is where phones find the API.
const PublicHost = "api.myhoneydue.com"

// patience is how long a phone waits for an answer, several cold starts on a busy machine included.
const patience = time.Minute

// Phone returns a phone that calls from an address of its own, through the edge: its connections come from there.
func (c *Cluster) Phone() *story.Phone {
	n := [3]byte{}
	_, _ = rand.Read(n[:])
	phone := c.PhoneAt(netip.MustParseAddr(Edge))
	// Of the network in which carriers keep phones.
	phone.Address = netip.AddrFrom4([4]byte{100, 64 + n[0]%64, n[1], n[2]}).String()
	return phone
}

// PhoneAt returns a phone with connections of its own, which come from an address of this machine and reach the ingress
// whatever host they are for.
func (c *Cluster) PhoneAt(from netip.Addr) *story.Phone {
	return &story.Phone{URL: "http://" + PublicHost, Address: from.String(), Client: &http.Client{Timeout: patience, Transport: c.Outside(from)}}
}

// Outside returns a transport whose connections all lead from that address to the ingress.
func (c *Cluster) Outside(from netip.Addr) *http.Transport {
	dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, c.Environment.Ingress.Host)
		},
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     patience,
	}
}

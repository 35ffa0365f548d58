package devtest

import "net/http"

// Client is for what tests ask. Closing an httptest.Server ends the idle connections of net/http's own transport, and with them, now
// and then, a request of another test that was about to use one: this one's are nobody else's.
var Client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// OneHop is a Client that follows no redirect.
var OneHop = &http.Client{
	Transport:     Client.Transport,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

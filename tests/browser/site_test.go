package browser

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"
)

// sitePages leaves out the API's reference, as long as a book: TestReference looks at it once.
func sitePages() []shown {
	return []shown{
		{"home", "/", 200},
		{"support", "/support/", 200},
		{"privacy", "/privacy/", 200},
		{"terms", "/terms/", 200},
		{"delete-account", "/delete-account/", 200},
		{"missing", "/no/such/page/", 404},
		{"problems", "/api/docs/problems/", 200},
	}
}

// TestSite looks at every page of the bare domain.
func TestSite(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.expects(404)
	var faults []string
	for _, p := range sitePages() {
		require.Equal(t, p.status, b.open(b.site+p.path), p.name)
		faults = append(faults, b.look("site-"+p.name)...)
	}
	require.Empty(t, faults)
}

// TestReference looks at the page of all calls, in one width and one scheme.
func TestReference(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	require.EqualValues(t, 200, b.open(b.site+"/api/docs/"))
	require.Empty(t, b.overflow(390))
	require.Empty(t, b.barriers())
	require.Empty(t, b.complaints())
}

// TestFirstView: what comes before anybody sees the page is little, and all of it from here.
func TestFirstView(t *testing.T) {
	t.Parallel()
	const most = 100 << 10
	for _, p := range sitePages() {
		if p.name == "problems" { // for developers
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t)
			b.expects(404)
			tell(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
			b.withoutScripts()
			require.Equal(t, p.status, b.open(b.site+p.path))
			b.until("document.fonts.status === 'loaded' && [...document.images].every(i => i.complete)")
			require.Empty(t, ask[[]string](b, "[...document.fonts].filter(f => f.status !== 'loaded').map(f => f.family)"))
			require.Positive(t, ask[int](b, "document.fonts.size"), "the site's own font")
			require.NotContains(t, ask[string](b, "getComputedStyle(document.querySelector('h1')).fontFamily"), "Times", "the site's own style")
			require.Empty(t, tell(b, network.GetCookies, network.GetCookiesParams{}).Cookies)
			b.mu.Lock()
			defer b.mu.Unlock()
			require.Less(t, b.bytes, float64(most), b.asked)
		})
	}
}

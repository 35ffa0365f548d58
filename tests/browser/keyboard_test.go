package browser

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// TestKeyboard signs in, searches and acts without a mouse.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	o := b.enrol("admin")
	ann := b.person(t, "Ann")
	b.open(b.panel + "/sign-in/")
	b.until("document.activeElement.name === 'email'")
	b.types(o.Email + kb.Tab + o.Password + kb.Tab + o.code(t, 1) + kb.Enter)
	b.at("/")
	b.tabTo(".skip")
	b.until("document.activeElement.getBoundingClientRect().left >= 0")
	b.tabTo("nav a[href='/people/']")
	b.types(kb.Enter)
	b.at("/people/")
	b.tabTo("[name=q]")
	b.types(ann.Email)
	b.until("document.querySelectorAll('tbody tr').length === 1")
	page := fmt.Sprintf("/people/%d/", ann.ID)
	b.tabTo("tbody a")
	b.types(kb.Enter)
	b.at(page)
	b.tabTo("a[href='" + page + "disable/']")
	b.types(kb.Enter)
	b.at(page + "disable/")
	b.tabTo("main button")
	b.types(kb.Enter)
	b.sees("Done: Disable the account")
	require.Equal(t, http.StatusUnauthorized, answered(t, ann))
}

package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what it expects to see.
const patience = 20 * time.Second

// pause is how often they look.
const pause = 10 * time.Millisecond

// A tab is one of a browser of its own: it shares no cookie with another test's.
type tab struct {
	*stage

	t   *testing.T
	ctx context.Context

	heard
}

// newTab opens a tab. When the test ends it fails for what the browser complained of, ran or asked of others.
func newTab(t *testing.T) *tab {
	t.Helper()
	return tabIn(world.browser, t, chromedp.WithNewBrowserContext())
}

// another opens a tab that shares the cookies of this one.
func (b *tab) another(t *testing.T) *tab {
	t.Helper()
	return tabIn(b.ctx, t)
}

func tabIn(parent context.Context, t *testing.T, options ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{stage: world, t: t, heard: heard{refused: map[int64]bool{}}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(b.hear))...)
	b.ctx = ctx
	t.Cleanup(func() {
		cancel()
		require.Empty(t, b.complaints())
	})
	tell(b, audits.Enable, cdp.Empty{})
	b.resize(1280)
	return b
}

// tell sends a command of the protocol.
func tell[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	answer, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b.t, err)
	return answer
}

// resize takes the tab to a screen of that width, or to a phone's.
func (b *tab) resize(width int64) {
	b.t.Helper()
	tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 600})
}

// scheme asks pages to be light or dark.
func (b *tab) scheme(name string) {
	b.t.Helper()
	tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// withoutScripts has pages that are opened from now on run none.
func (b *tab) withoutScripts() {
	b.t.Helper()
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// do takes steps, one after another.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// open goes to an address and returns its status.
func (b *tab) open(address string) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	require.NoError(b.t, err, address)
	return answer.Status
}

// ask evaluates JavaScript, whether the page itself may run any or not.
func ask[T any](b *tab, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, script)
	return value
}

// until waits for a condition in JavaScript. A page that is on its way to another one answers nothing, and is asked again.
func (b *tab) until(condition string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.readyState === 'complete' && !!("+condition+")"))
		return err == nil && yes
	}, patience, pause, condition)
}

func quoted(text string) string {
	said, _ := json.Marshal(text) // a string
	return string(said)
}

// sees waits for text on the page.
func (b *tab) sees(text string) {
	b.t.Helper()
	b.until("document.body.innerText.includes(" + quoted(text) + ")")
}

// at waits for the page of an address, given without its host.
func (b *tab) at(path string) {
	b.t.Helper()
	b.until("location.pathname + location.search === " + quoted(path))
}

// press clicks the button or link of that label.
func (b *tab) press(label string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.Search(fmt.Sprintf("//*[self::a or self::button][normalize-space()=%q]", label)), chromedp.NodeVisible))
}

// fill types into the field of that name, in the place of what it holds. chromedp's own way to do so races against its picture of the page.
func (b *tab) fill(name, value string) {
	b.t.Helper()
	field := "document.querySelector(" + quoted("main [name="+name+"]") + ")"
	b.until(field)
	b.until("(" + field + ".focus(), " + field + ".select(), document.activeElement === " + field + ")")
	b.types(value)
}

// types presses keys, wherever the focus is.
func (b *tab) types(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until the focus is on what matches the selector.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	const most = 60
	for range most {
		if ask[bool](b, "document.activeElement.matches("+quoted(selector)+")") {
			return
		}
		b.types(kb.Tab)
	}
	require.Fail(b.t, "the keyboard does not lead there", selector)
}

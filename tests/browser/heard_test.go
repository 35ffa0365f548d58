package browser

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// heard is what the browser told of a tab.
type heard struct {
	mu       sync.Mutex
	refused  map[int64]bool // statuses that the test brings about
	complain []string       // what the browser had to say
	asked    []string       // addresses
	bytes    float64        // that came over the network
}

// hear notes what a page does that no page may.
func (h *heard) hear(event any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		h.asked = append(h.asked, e.Request.URL)
		if at, err := url.Parse(e.Request.URL); err == nil && at.Scheme != "data" && !strings.HasSuffix(at.Hostname(), ".localhost") {
			h.complain = append(h.complain, "asked another host: "+e.Request.URL)
		}
	case *network.EventLoadingFinished:
		h.bytes += e.EncodedDataLength
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 && !h.refused[e.Response.Status] {
			h.complain = append(h.complain, fmt.Sprintf("answered %d: %s", e.Response.Status, e.Response.URL))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // refusals: judged by their statuses
			h.complain = append(h.complain, fmt.Sprintf("logged: %s (%s)", e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		said, _ := json.Marshal(e.Args) // as it came
		h.complain = append(h.complain, "wrote to the console: "+string(said))
	case *runtime.EventExceptionThrown:
		h.complain = append(h.complain, "threw: "+e.ExceptionDetails.Text)
	case *page.EventJavascriptDialogOpening:
		h.complain = append(h.complain, "asked in a dialog: "+e.Message)
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeCookieIssue {
			return // a cookie was kept from another site
		}
		details, _ := json.Marshal(e.Issue.Details)
		h.complain = append(h.complain, fmt.Sprintf("has an issue: %s %s", e.Issue.Code, details))
	}
}

// complaints returns what was heard since the last call.
func (h *heard) complaints() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.complain
	h.complain = nil
	return all
}

// expects says with which statuses the test wants pages to be refused.
func (h *heard) expects(statuses ...int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range statuses {
		h.refused[s] = true
	}
}

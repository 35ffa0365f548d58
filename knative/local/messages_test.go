package local_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMessagesAreAskedOfTheirFunction: what an operator asks reaches it, and no page from elsewhere can ask.
func TestMessagesAreAskedOfTheirFunction(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for call, uri := range map[string]string{
		"GET /_local/messages?state=dead&cursor=7": "/messages/?state=dead&cursor=7",
		"POST /_local/messages/12/replay/":         "/messages/12/replay/",
	} {
		method, path, _ := strings.Cut(call, " ")
		status, body := request(t, method, s.URL+path, nil, "")
		require.Equal(t, http.StatusOK, status, call)
		require.Contains(t, body, `"K_SERVICE=notifications"`, call)
		var asked struct{ Method, URI string }
		require.NoError(t, json.Unmarshal([]byte(body), &asked))
		require.Equal(t, method+" "+uri, asked.Method+" "+asked.URI)
	}
	status, _ := request(t, http.MethodPost, s.URL+"/_local/messages/12/replay/", map[string]string{"Origin": "https://example.org"}, "")
	require.Equal(t, http.StatusForbidden, status)
	status, _ = request(t, http.MethodGet, s.URL+"/_local/messages", map[string]string{"Host": "example.org"}, "")
	require.Equal(t, http.StatusForbidden, status)
}

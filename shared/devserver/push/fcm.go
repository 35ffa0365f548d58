package push

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	tokenPath = "/token"
	scope     = "https://www.googleapis.com/auth/firebase.messaging"
	grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

	bearerLife = time.Hour
	maxGrant   = 64 << 10
)

// serveGrant gives bearers for assertions, as RFC 7523 and Google's "Using OAuth 2.0 for server to server applications" say.
func (d *Double) serveGrant(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	told := d.orders.grants
	d.mu.Unlock()
	if told != nil {
		if told.begin(w, r) {
			writeJSON(w, told.Status, map[string]string{"error": told.Reason})
		}
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxGrant)
	c, ok := readToken(r.PostFormValue("assertion"), "RS256", d.credentials.byRS256)
	now := d.now()
	issued, expires := time.Unix(c.IssuedAt, 0), time.Unix(c.Expires, 0)
	if !ok || r.PostFormValue("grant_type") != grantType || c.KeyID != accountID || c.Issuer != account || c.Scope != scope ||
		c.Audience != d.URL()+tokenPath || issued.After(now.Add(clockSkew)) || now.After(expires) || expires.Sub(issued) > bearerLife {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	bearer := rand.Text()
	d.mu.Lock()
	d.bearers[bearer] = now.Add(bearerLife)
	d.grants++
	d.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"access_token": bearer, "token_type": "Bearer", "expires_in": int(bearerLife.Seconds())})
}

// serveFCM takes what the FCM HTTP v1 API's projects.messages.send takes, of the fields that a push of ours may have.
func (d *Double) serveFCM(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return // the client has given up
	}
	m, wrong := readMessage(payload)
	answer, refused := d.ordered(m.Token)
	switch {
	case !d.knowsBearer(r.Header.Get("Authorization")):
		answer, refused = Answer{Status: http.StatusUnauthorized, Reason: "UNAUTHENTICATED"}, true
	case r.PathValue("project") != project:
		answer, refused = Answer{Status: http.StatusForbidden, Reason: "PERMISSION_DENIED"}, true
	case wrong != nil:
		answer, refused = Answer{Status: http.StatusBadRequest, Reason: "INVALID_ARGUMENT", Message: wrong.Error()}, true
	}
	if refused {
		answer.writeFCM(w, r)
		return
	}
	data := map[string]any{}
	for name, value := range m.Data {
		data[name] = value
	}
	id := d.keep(Push{
		Platform: Android, DeviceToken: m.Token, Title: m.Notification.Title, Body: m.Notification.Body, Data: data, Payload: payload,
	}, r)
	writeJSON(w, http.StatusOK, map[string]string{"name": "projects/" + project + "/messages/" + id})
}

// writeFCM writes an error as google.rpc.Status, with FCM's own code beside the general one.
func (a Answer) writeFCM(w http.ResponseWriter, r *http.Request) {
	if !a.begin(w, r) {
		return
	}
	details := []any{map[string]string{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": a.Reason}}
	if a.Field != "" {
		details = append(details, map[string]any{
			"@type":           "type.googleapis.com/google.rpc.BadRequest",
			"fieldViolations": []map[string]string{{"field": a.Field, "description": a.Message}},
		})
	}
	general := map[int]string{
		http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED",
		http.StatusNotFound: "NOT_FOUND", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED", http.StatusServiceUnavailable: "UNAVAILABLE",
	}[a.Status]
	writeJSON(w, a.Status, map[string]any{"error": map[string]any{"code": a.Status, "message": a.Message, "status": general, "details": details}})
}

func (d *Double) knowsBearer(authorization string) bool {
	bearer, ok := strings.CutPrefix(authorization, "Bearer ")
	d.mu.Lock()
	defer d.mu.Unlock()
	return ok && d.clock().Before(d.bearers[bearer])
}

type message struct {
	Token        string            `json:"token"`
	Data         map[string]string `json:"data"`
	Notification struct {
		Title string `json:"title"`
		Body  string `json:"body"`
	} `json:"notification"`
	Android struct {
		Priority     string `json:"priority"`
		TTL          string `json:"ttl"`
		CollapseKey  string `json:"collapse_key"`
		Notification struct {
			Tag          string   `json:"tag"`
			TitleLocKey  string   `json:"title_loc_key"`
			TitleLocArgs []string `json:"title_loc_args"`
			BodyLocKey   string   `json:"body_loc_key"`
			BodyLocArgs  []string `json:"body_loc_args"`
			Count        int      `json:"notification_count"`
			ChannelID    string   `json:"channel_id"`
		} `json:"notification"`
	} `json:"android"`
}

// readMessage reads a payload strictly.
func readMessage(payload []byte) (message, error) {
	var in struct {
		Message message `json:"message"`
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&in)
	m := in.Message
	switch {
	case err != nil:
		return m, err
	case len(payload) > maxPayload:
		return m, errors.New("the message is too big")
	case m.Token == "":
		return m, errors.New("exactly one of token, topic or condition is required")
	case m.Android.Priority != "HIGH" && m.Android.Priority != "NORMAL":
		return m, errors.New("invalid value at message.android.priority")
	case !regexp.MustCompile(`^\d+(\.\d{1,9})?s$`).MatchString(m.Android.TTL):
		return m, errors.New("invalid value at message.android.ttl")
	}
	for name := range m.Data {
		if name == "from" || name == "message_type" || strings.HasPrefix(name, "google.") || strings.HasPrefix(name, "gcm.") {
			return m, errors.New("invalid data payload key")
		}
	}
	return m, nil
}

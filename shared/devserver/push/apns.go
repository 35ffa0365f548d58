package push

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxTokenAge is how old a provider token may be.
const maxTokenAge = time.Hour

// clockSkew is how far ahead a sender's clock may be.
const clockSkew = time.Minute

// alert is what is read of a payload.
type alert struct {
	APS *struct {
		Alert struct {
			Title string `json:"title"`
			Body  string `json:"body"`
		} `json:"alert"`
	} `json:"aps"`
}

// serveAPNs answers as Apple's "Sending notification requests to APNs" and "Handling notification responses from APNs" say.
func (d *Double) serveAPNs(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return // the client has given up
	}
	answer, refused := d.ordered(token)
	if found := d.checkAPNs(r, token, payload); found != nil {
		answer, refused = *found, true
	}
	w.Header().Set("Apns-Id", r.Header.Get("Apns-Id"))
	if refused {
		answer.writeAPNs(w, r)
		return
	}
	p := Push{Platform: IOS, DeviceToken: token, Payload: payload}
	var read alert
	_ = json.Unmarshal(payload, &read) // checked above
	_ = json.Unmarshal(payload, &p.Data)
	delete(p.Data, "aps")
	p.Title, p.Body = read.APS.Alert.Title, read.APS.Alert.Body
	d.keep(p, r)
}

func (a Answer) writeAPNs(w http.ResponseWriter, r *http.Request) {
	if !a.begin(w, r) {
		return
	}
	body := map[string]any{"reason": a.Reason}
	if a.Status == http.StatusGone {
		body["timestamp"] = a.At.UnixMilli()
	}
	writeJSON(w, a.Status, body)
}

// checkAPNs returns what is wrong with a request, or nil.
func (d *Double) checkAPNs(r *http.Request, token string, payload []byte) *Answer {
	deviceToken := regexp.MustCompile(`^([0-9a-fA-F]{2}){32,100}$`)
	bad := func(reason string) *Answer { return &Answer{Status: http.StatusBadRequest, Reason: reason} }
	switch {
	case r.ProtoMajor != 2:
		return &Answer{Status: http.StatusHTTPVersionNotSupported, Reason: "HTTP/2 alone"}
	case r.Method != http.MethodPost:
		return &Answer{Status: http.StatusMethodNotAllowed, Reason: "MethodNotAllowed"}
	case !deviceToken.MatchString(token):
		return bad("BadDeviceToken")
	}
	if reason := d.checkProviderToken(r.Header.Get("Authorization")); reason != "" {
		return &Answer{Status: http.StatusForbidden, Reason: reason}
	}
	if reason := checkHeaders(r.Header); reason != "" {
		return bad(reason)
	}
	var read alert
	switch {
	case len(payload) == 0:
		return bad("PayloadEmpty")
	case len(payload) > maxPayload:
		return &Answer{Status: http.StatusRequestEntityTooLarge, Reason: "PayloadTooLarge"}
	case json.Unmarshal(payload, &read) != nil || read.APS == nil:
		return bad("BadPayload")
	}
	return nil
}

func checkHeaders(h http.Header) string {
	expires := h.Get("Apns-Expiration")
	_, expiresErr := strconv.ParseInt(expires, 10, 64)
	_, idErr := uuid.Parse(h.Get("Apns-Id"))
	switch {
	case h.Get("Apns-Topic") == "":
		return "MissingTopic"
	case h.Get("Apns-Topic") != Topic:
		return "BadTopic"
	case h.Get("Apns-Push-Type") != "alert":
		return "InvalidPushType"
	case expires != "" && expiresErr != nil:
		return "BadExpirationDate"
	case h.Get("Apns-Priority") != "10" && h.Get("Apns-Priority") != "5":
		return "BadPriority"
	case h.Get("Apns-Id") != "" && idErr != nil:
		return "BadMessageId"
	case len(h.Get("Apns-Collapse-Id")) > 64:
		return "BadCollapseId"
	default:
		return ""
	}
}

func (d *Double) checkProviderToken(authorization string) string {
	token, ok := strings.CutPrefix(authorization, "bearer ")
	if !ok || token == "" {
		return "MissingProviderToken"
	}
	d.mu.Lock()
	d.tokens[token] = true
	d.mu.Unlock()
	c, ok := readToken(token, "ES256", d.credentials.byES256)
	age := d.now().Sub(time.Unix(c.IssuedAt, 0))
	switch {
	case !ok || c.KeyID != apnsKeyID || c.Issuer != apnsTeam || age < -clockSkew:
		return "InvalidProviderToken"
	case age > maxTokenAge:
		return "ExpiredProviderToken"
	default:
		return ""
	}
}

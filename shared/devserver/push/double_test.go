package push_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/push"
)

const device = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

type bundle struct {
	*push.Double
	client *http.Client
	key    *ecdsa.PrivateKey
	env    map[string]string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	keys, err := push.NewCredentials()
	require.NoError(t, err)
	b := &bundle{Double: push.New(keys, slog.New(slog.DiscardHandler))}
	require.NoError(t, b.Start())
	t.Cleanup(b.Stop)
	b.env = b.Environment()
	block, _ := pem.Decode([]byte(strings.ReplaceAll(b.env["APNS_KEY"], `\n`, "\n")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	b.key = key.(*ecdsa.PrivateKey)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	b.client = &http.Client{Transport: transport}
	return b
}

// token signs what a provider says of itself.
func (b *bundle) token(t *testing.T, kid, team string, issued time.Time) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(map[string]string{"alg": "ES256", "kid": kid}) + "." + part(map[string]any{"iss": team, "iat": issued.Unix()})
	hash := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, b.key, hash[:])
	require.NoError(t, err)
	var both [64]byte
	r.FillBytes(both[:32])
	s.FillBytes(both[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(both[:])
}

// good is a request that APNs takes.
func (b *bundle) good(t *testing.T) *http.Request {
	t.Helper()
	body := `{"aps":{"alert":{"title":"Hello","body":"there"},"badge":1},"type":"task_assigned","task_id":7}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/3/device/"+device, strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Authorization": "bearer " + b.token(t, b.env["APNS_KEY_ID"], b.env["APNS_TEAM_ID"], time.Now()),
		"Apns-Topic":    push.Topic, "Apns-Push-Type": "alert", "Apns-Priority": "10", "Apns-Expiration": "1790000000",
		"Apns-Id": "123e4567-e89b-12d3-a456-426655440000", "Apns-Collapse-Id": "message-7",
	} {
		req.Header.Set(name, value)
	}
	return req
}

// ask returns the answer's status and body.
func (b *bundle) ask(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	res, err := b.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, strings.TrimSpace(string(body))
}

func TestKeepsWhatAPhoneWouldShow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	status, body := b.ask(t, b.good(t))
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, body)
	got, err := b.Wait(t.Context(), func(p push.Push) bool { return p.DeviceToken == device })
	require.NoError(t, err)
	require.Equal(t, []push.Push{got}, b.Pushes())
	require.Equal(t, "Hello there", got.Title+" "+got.Body)
	require.Equal(t, push.IOS, got.Platform)
	require.Equal(t, map[string]any{"type": "task_assigned", "task_id": 7.0}, got.Data)
	require.Equal(t, "message-7", got.Headers["apns-collapse-id"])
	require.NotContains(t, got.Headers, "authorization")
}

// What Apple refuses is refused here, by the same words.
func TestRefusesWhatAPNsRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del(name)
			if value != "" {
				r.Header.Set(name, value)
			}
		}
	}
	bearer := func(kid, team string, issued time.Time) func(*http.Request) {
		return header("Authorization", "bearer "+b.token(t, kid, team, issued))
	}
	payload := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		}
	}
	kid, team := b.env["APNS_KEY_ID"], b.env["APNS_TEAM_ID"]
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
		reason string
	}{
		"no token":         {header("Authorization", ""), 403, "MissingProviderToken"},
		"not a token":      {header("Authorization", "bearer a.b.c"), 403, "InvalidProviderToken"},
		"another key":      {bearer("OTHER", team, time.Now()), 403, "InvalidProviderToken"},
		"another team":     {bearer(kid, "OTHER", time.Now()), 403, "InvalidProviderToken"},
		"from the future":  {bearer(kid, team, time.Now().Add(time.Hour)), 403, "InvalidProviderToken"},
		"an old token":     {bearer(kid, team, time.Now().Add(-61*time.Minute)), 403, "ExpiredProviderToken"},
		"no topic":         {header("Apns-Topic", ""), 400, "MissingTopic"},
		"another app":      {header("Apns-Topic", "com.example"), 400, "BadTopic"},
		"no push type":     {header("Apns-Push-Type", ""), 400, "InvalidPushType"},
		"expires some day": {header("Apns-Expiration", "tomorrow"), 400, "BadExpirationDate"},
		"priority":         {header("Apns-Priority", "11"), 400, "BadPriority"},
		"id":               {header("Apns-Id", "7"), 400, "BadMessageId"},
		"collapse id":      {header("Apns-Collapse-Id", strings.Repeat("c", 65)), 400, "BadCollapseId"},
		"empty":            {payload(""), 400, "PayloadEmpty"},
		"no aps":           {payload("{}"), 400, "BadPayload"},
		"too large":        {payload(`{"aps":{},"x":"` + strings.Repeat("x", 4096) + `"}`), 413, "PayloadTooLarge"},
		"device":           {func(r *http.Request) { r.URL.Path = "/3/device/xyz" }, 400, "BadDeviceToken"},
		"method":           {func(r *http.Request) { r.Method = http.MethodPut }, 405, "MethodNotAllowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := b.good(t)
			c.change(req)
			status, body := b.ask(t, req)
			require.Equal(t, c.status, status)
			require.JSONEq(t, `{"reason":"`+c.reason+`"}`, body)
		})
	}
	t.Run("forged", func(t *testing.T) {
		t.Parallel()
		req := b.good(t)
		forged := []byte(req.Header.Get("Authorization"))
		forged[len(forged)-10] ^= 1
		req.Header.Set("Authorization", string(forged))
		_, body := b.ask(t, req)
		require.JSONEq(t, `{"reason":"InvalidProviderToken"}`, body)
	})
	t.Run("HTTP/1.1", func(t *testing.T) {
		t.Parallel()
		res, err := devtest.Client.Do(b.good(t))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusHTTPVersionNotSupported, res.StatusCode)
	})
	t.Cleanup(func() { require.Empty(t, b.Pushes()) })
}

func TestAnswersAsItIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := time.UnixMilli(1790000000123)
	b.Answer(device, &push.Answer{Status: http.StatusGone, Reason: "Unregistered", At: at})
	status, body := b.ask(t, b.good(t))
	require.Equal(t, http.StatusGone, status)
	require.JSONEq(t, `{"reason":"Unregistered","timestamp":1790000000123}`, body)
	b.Answer(device, nil)
	b.AnswerNext(push.Answer{Status: http.StatusTooManyRequests, Reason: "TooManyRequests", RetryAfter: "9"})
	status, _ = b.ask(t, b.good(t))
	require.Equal(t, http.StatusTooManyRequests, status)
	status, _ = b.ask(t, b.good(t))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 3, b.Requests(device))
	require.Len(t, b.Pushes(), 1)
}

// Nobody sends by FCM without a bearer, and no bearer is given for anything but a good assertion.
func TestFCMIsClosedToStrangers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/v1/projects/honeydue-double/messages:send",
		bytes.NewReader([]byte(`{"message":{"token":"a"}}`)))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer made-up")
	status, body := b.ask(t, req)
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, body, "UNAUTHENTICATED")
	form := strings.NewReader("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
		b.token(t, "double", "pushes@honeydue-double.iam.gserviceaccount.com", time.Now()))
	req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/token", form)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body = b.ask(t, req)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"error":"invalid_grant"}`, body)
	require.Zero(t, b.Grants())
}

func TestStopAndStartOnTheSamePort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	url := b.URL()
	b.Stop()
	_, err := b.client.Do(b.good(t))
	require.Error(t, err)
	require.NoError(t, b.Start())
	require.Equal(t, url, b.URL())
	status, _ := b.ask(t, b.good(t))
	require.Equal(t, http.StatusOK, status)
}

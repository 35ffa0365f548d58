package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// asked is a request for an address that nothing is wrong with.
var asked = object{"category": "document_file", "content_type": "application/pdf", "content_length": 1000}

// keyOf returns where the object of an upload goes.
func (b *bundle) keyOf(t testing.TB, id int64) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `SELECT object_key FROM pending_uploads WHERE id = $1`, id)
}

func TestPresignAndSend(t *testing.T) {
	t.Parallel()
	for method, c := range map[bucket.Method]struct {
		slack int
		empty string
	}{
		bucket.Post: {256, `"headers":{}`},
		bucket.Put:  {0, `"fields":{}`},
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, method)
			content := photo(t)
			before := time.Now()
			r := b.Call(t, "POST", presignPath, b.vera.Token, object{
				"category": "completion_image", "content_type": "image/jpeg", "content_length": len(content), "filename": ` C:\photos/Öl` + "\u202e\t" + `tank.jpg`,
			})
			a := functiontest.Read[Address](t, r, 201)
			require.Contains(t, string(r.Body), c.empty)
			require.Equal(t, strings.ToUpper(string(method)), a.Method)
			require.WithinRange(t, a.ExpiresAt, before.Add(bucket.SendLife-time.Second), time.Now().Add(bucket.SendLife))

			key := b.keyOf(t, a.UploadID)
			require.Regexp(t, `^uploads/[A-Z2-7]{26,}$`, key)
			require.JSONEq(t, fmt.Sprintf(`{"user_id": %d, "category": "completion_image", "content_type": "image/jpeg", "content_length": %d, "slack": %d,
				"filename": "Öltank.jpg", "state": "pending"}`, b.vera.ID, len(content), c.slack), functiontest.Value[string](t, b.Server, `
				SELECT json_build_object('user_id', user_id, 'category', category, 'content_type', content_type, 'content_length', content_length,
					'slack', slack, 'filename', filename, 'state', state) FROM pending_uploads WHERE id = $1`, a.UploadID))
			require.True(t, a.ExpiresAt.Equal(functiontest.Value[time.Time](t, b.Server, `SELECT expires_at FROM pending_uploads WHERE id = $1`, a.UploadID)))

			require.Less(t, send(t, a, content), 300)
			sent, err := b.store.Stat(t.Context(), key)
			require.NoError(t, err)
			require.EqualValues(t, len(content), sent.Size)
			require.Equal(t, "image/jpeg", sent.ContentType)
			require.GreaterOrEqual(t, send(t, a, append(content, make([]byte, c.slack+1)...)), 400, "more than was claimed")
		})
	}
}

func TestBaseName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a.jpg": "a.jpg", "/etc/passwd": "passwd", `C:\a\b.pdf`: "b.pdf", "../../x": "x", " x \u200b": "x", "a\r\nb\x7f": "ab", "\u202egpj.a": "gpj.a",
		"日本 1.heic": "日本 1.heic", ".hidden": ".hidden", "a/": "", "..": "", " . ": "", "": "", "\u2028": "",
	} {
		got := baseName(&path)
		if want == "" {
			require.Nil(t, got, "%q", path)
			continue
		}
		require.NotNil(t, got, "%q", path)
		require.Equal(t, want, *got, "%q", path)
	}
	require.Nil(t, baseName(nil))
}

func TestBadPresignChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.snapshot(t)
	for name, c := range map[string]struct {
		change   object
		location string
	}{
		"no category":         {object{"category": nil}, "body.category"},
		"another category":    {object{"category": "hunter2"}, "body.category"},
		"another type":        {object{"content_type": "text/hunter2"}, "body.content_type"},
		"a type with more":    {object{"content_type": "application/pdf; hunter2"}, "body.content_type"},
		"pdf of a completion": {object{"category": "completion_image"}, "body.content_type"},
		"pdf of a home":       {object{"category": "residence_image"}, "body.content_type"},
		"pdf as a picture":    {object{"category": "document_image"}, "body.content_type"},
		"empty":               {object{"content_length": 0}, "body.content_length"},
		"one byte too many":   {object{"content_length": 10<<20 + 1}, "body.content_length"},
		"half a byte":         {object{"content_length": 1.5}, "body.content_length"},
		"a long name":         {object{"filename": strings.Repeat("x", 256)}, "body.filename"},
		"more":                {object{"hunter2": 1}, "body"},
		"a key":               {object{"object_key": "media/x"}, "body"},
	} {
		body := object{}
		for _, fields := range []object{asked, c.change} {
			for field, value := range fields {
				body[field] = value
			}
		}
		r := b.Call(t, "POST", presignPath, b.ann.Token, body)
		require.Contains(t, locations(t, r), c.location, "%s: %s", name, r.Body)
		require.NotContains(t, string(r.Body), "hunter2", name)
	}
	for _, token := range []string{"", "hd_unknown"} {
		functiontest.Refused(t, b.Call(t, "POST", presignPath, token, asked), 401)
	}
	require.Equal(t, before, b.snapshot(t))
}

// retryAfter returns after how many seconds a 429 says to try again.
func retryAfter(t testing.TB, r functiontest.Response) int {
	t.Helper()
	functiontest.Refused(t, r, 429)
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	require.NoError(t, err)
	return seconds
}

func TestTenAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ask := func() functiontest.Response { return b.Call(t, "POST", presignPath, b.ann.Token, asked) }
	first := functiontest.Read[Address](t, ask(), 201).UploadID
	b.Exec(t, `UPDATE pending_uploads SET expires_at = now() + interval '5 minutes' WHERE id = $1`, first)
	for range 9 {
		require.Equal(t, 201, ask().Status)
	}
	full := ask()
	require.InDelta(t, 5*60, retryAfter(t, full), 20)
	require.Contains(t, string(full.Body), "give up")
	require.Equal(t, 201, b.Call(t, "POST", presignPath, b.bob.Token, asked).Status, "each has ten")

	require.Equal(t, 204, b.Call(t, "DELETE", uploadPath(first), b.ann.Token, nil).Status)
	require.Equal(t, 201, ask().Status)
	require.InDelta(t, 15*60, retryAfter(t, ask()), 20)
	b.Exec(t, `UPDATE pending_uploads SET expires_at = now() WHERE id = $1`, first+1)
	require.Equal(t, 201, ask().Status)
	b.Exec(t, `UPDATE pending_uploads SET state = 'attached' WHERE id = $1`, first+2)
	require.Equal(t, 201, ask().Status)
	retryAfter(t, ask())
}

func TestFiftyAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, created_at, expires_at)
		SELECT $1, 'document_file', 'application/pdf', 1, 0, 'uploads/' || g, (ARRAY['attached', 'expired', 'given_up'])[1 + g % 3],
			now() - make_interval(mins => 50) + make_interval(secs => g), now() - make_interval(mins => 35) FROM generate_series(1, 49) g`, b.ann.ID)
	last := functiontest.Read[Address](t, b.Call(t, "POST", presignPath, b.ann.Token, asked), 201).UploadID
	require.Equal(t, 204, b.Call(t, "DELETE", uploadPath(last), b.ann.Token, nil).Status)
	r := b.Call(t, "POST", presignPath, b.ann.Token, asked)
	require.InDelta(t, 10*60, retryAfter(t, r), 20)
	require.Equal(t, 201, b.Call(t, "POST", presignPath, b.bob.Token, asked).Status)
	b.Exec(t, `UPDATE pending_uploads SET created_at = now() - interval '1 hour' WHERE object_key = 'uploads/1'`)
	require.Equal(t, 201, b.Call(t, "POST", presignPath, b.ann.Token, asked).Status)
}

// Thirty ask at once, of two processes and without Redis, and ten are given an address.
func TestTenAtATimeAtOnce(t *testing.T) {
	t.Parallel()
	servers := devtest.NewServers(t)
	db := servers.New(t)
	store := functiontest.OpenBucket(t, devtest.NewBucket(t), bucket.Put)
	b := people(t, functiontest.StartOn(t, db, name, handlers(store)), store)
	other := functiontest.StartOn(t, db, name, handlers(store))
	for _, redis := range []string{"up", "down"} {
		if redis == "down" {
			require.NoError(t, servers.Redis.Stop(t.Context()))
		}
		by := b.Person(t, redis)
		statuses := make([]int, 30)
		var begin, ended sync.WaitGroup
		begin.Add(1)
		for i := range statuses {
			at := b.Server
			if i%2 == 0 {
				at = other
			}
			ended.Go(func() {
				begin.Wait()
				if r, err := at.Try("POST", presignPath, by.Token, asked); err == nil {
					statuses[i] = r.Status
				}
			})
		}
		begin.Done()
		ended.Wait()
		counts := map[int]int{}
		for _, status := range statuses {
			counts[status]++
		}
		require.Equal(t, map[int]int{201: 10, 429: 20}, counts, "Redis %s", redis)
		require.Equal(t, 10, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM pending_uploads WHERE user_id = $1`, by.ID))
	}
}

// Signing asks the bucket nothing.
func TestPresignWithoutBucket(t *testing.T) {
	t.Parallel()
	for _, method := range []bucket.Method{bucket.Post, bucket.Put} {
		store := functiontest.OpenBucket(t, &devtest.Bucket{Endpoint: "http://127.0.0.1:1", Region: "eu", Name: "away", AccessKey: "id", SecretKey: "secret"}, method)
		b := people(t, functiontest.Start(t, name, handlers(store)), store)
		r := b.Call(t, "POST", presignPath, b.ann.Token, asked)
		functiontest.Read[Address](t, r, 201)
		require.NotContains(t, string(r.Body), "secret")
	}
}

// The address says nothing about the person or the file.
func TestPresignTellsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.presign(t, b.ann, "document_image", "image/png", 10)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	for _, secret := range []string{"ann", "heater", "filename"} {
		require.NotContains(t, string(text), secret)
	}
	require.Equal(t, http.MethodPost, a.Method)
}

package tests

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/story"
)

// A life is what one person did everywhere, and the words that name her, her addresses included, or say where she is.
type life struct {
	*story.Person
	other *story.Person // shares a home with her, and comes to the one that is hers alone for a while
	own   int64         // that home
	words []string
}

// Words that nobody else uses: who she is, where she is, and what people write of their work in the home that is hers alone.
const (
	firstName = "Zyxwilda"
	lastName  = "Quorndyke"
	street    = "1 Vashtique Way"
	chore     = "Trim the gorblethorn"
)

// TestNothingIsLeftOfAPerson: who deletes her account is named nowhere any more, in whatever functions wrote while she lived.
func TestNothingIsLeftOfAPerson(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	db := owner(t, s)
	ctx := within(t, 4*time.Minute)
	l := live(ctx, t, s)
	settle(ctx, t, s, db)
	require.Empty(t, value[string](t, db, `SELECT coalesce(json_agg(m)::text, '') FROM notification_message m WHERE state <> 'sent'`))
	l.must(ctx, t, l.other, http.MethodDelete, fmt.Sprintf("/api/residences/%d/users/%d/", l.own, l.other.ID), nil)
	for _, word := range l.words {
		require.NotEmpty(t, mentions(t, db, word), "%s is not found where it must be", word)
	}
	require.Equal(t, 2, value[int](t, db, `SELECT count(DISTINCT user_id) FROM shared_idempotency WHERE answer ILIKE $1`, "%"+street+"%"),
		"the street is in an answer to each")
	require.NotEmpty(t, mentions(t, db, chore))
	readEverything(ctx, t, l)
	// A writer that could not tell Redis in time, on a busy machine, keeps a board from being kept for as long as its marker stands.
	require.Eventually(t, func() bool {
		l.must(ctx, t, l.Person, http.MethodGet, "/api/tasks/", nil)
		return len(inRedis(t, s, chore)) > 0
	}, 30*time.Second, 200*time.Millisecond, "the boards are not looked into")

	keys := l.keys(t, db)
	require.GreaterOrEqual(t, len(inBucket(ctx, t, l.other, keys)), len(keys))

	answer, err := l.Call(ctx, http.MethodDelete, "/api/auth/account/", map[string]any{"password": story.Password}, "")
	require.NoError(t, err)
	require.NoError(t, answer.Decode(http.StatusAccepted, nil))
	gone := func() {
		for _, word := range l.words {
			require.Empty(t, mentions(t, db, word), word)
			require.Empty(t, inRedis(t, s, word), word)
		}
		// What the other sent himself is counted for a day.
		require.Subset(t, []string{"public.pending_uploads"}, mentions(t, db, chore))
		// A board that nobody can read any more ends by itself.
		for _, key := range inRedis(t, s, chore) {
			require.Contains(t, key, fmt.Sprintf("tasks:user:%d:", l.ID))
		}
	}
	gone()
	settle(ctx, t, s, db)
	var board story.Board
	require.NoError(t, l.other.Read(ctx, "/api/tasks/", &board))
	gone()
	// What a signed address could send again goes with the address; the test does not wait for the clock.
	_, err = db.Exec(ctx, `UPDATE upload_tombstone SET due_at = now()`)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `UPDATE pending_uploads SET created_at = created_at - interval '1 day'`)
	require.NoError(t, err)
	require.NoError(t, s.Fire(ctx, "uploads"))
	require.Eventually(t, func() bool { return len(inBucket(ctx, t, l.other, keys)) == 0 }, 20*time.Second, 200*time.Millisecond)
	require.Empty(t, mentions(t, db, chore))
	require.Equal(t, 2, value[int](t, db, `SELECT count(*) FROM upload_media WHERE state = 'ready'`), "what belongs to the home of both stays")
}

// live has two people share a home, and one of them have another for herself, and do there what there is to do.
func live(ctx context.Context, t *testing.T, s *local.System) life {
	t.Helper()
	her, err := story.Register(ctx, story.NewPhone(s.URL), firstName)
	require.NoError(t, err)
	other, err := story.Register(ctx, story.NewPhone(s.URL), "Max")
	require.NoError(t, err)
	require.NoError(t, other.Verify(ctx, codeIn(t, mailTo(t, ctx, s, other.Email, "confirm your email"))))
	l := life{Person: her, other: other, words: []string{firstName, lastName, street, her.Email}}
	require.NoError(t, her.Verify(ctx, codeIn(t, mailTo(t, ctx, s, her.Email, "confirm your email"))))
	l.must(ctx, t, her, http.MethodPatch, "/api/auth/me/", map[string]any{"last_name": lastName, "time_zone": "Asia/Tokyo"})
	l.must(ctx, t, her, http.MethodPost, "/api/notifications/devices/", map[string]any{"platform": "android", "token": firstName, "name": firstName + "'s phone"})
	l.must(ctx, t, her, http.MethodPatch, "/api/notifications/preferences/", map[string]any{"quiet_from": "22:00", "quiet_to": "22:00"}) // never
	l.move(ctx, t, s, "blixomar@"+domainOf(her.Email))

	shared, err := story.Share(ctx, her, other)
	require.NoError(t, err)
	var own struct{ ID int64 }
	require.NoError(t, her.Create(ctx, "/api/residences/", http.StatusCreated, map[string]any{
		"name": firstName + "'s", "residence_type": "cabin", "street_address": street, "description": "Write to " + her.Email,
	}, &own))
	require.NoError(t, story.Admit(ctx, her, own.ID, other))
	for _, home := range []int64{shared, own.ID} {
		what := "Sweep"
		if home == own.ID {
			what = chore
		}
		l.work(ctx, t, home, what, her, other)
		l.work(ctx, t, home, what, other, her)
	}
	l.own = own.ID
	waiting := story.File{Category: "document_file", Type: paperType, Name: firstName + ".pdf", Content: []byte("%PDF-1.7")}
	_, err = her.Send(ctx, waiting)
	require.NoError(t, err)
	l.must(ctx, t, her, http.MethodPost, fmt.Sprintf("/api/residences/%d/share/", own.ID), map[string]any{})
	mailTo(t, ctx, s, other.Email, chore)
	return l
}

// domainOf is a domain that nobody else has.
func domainOf(email string) string {
	local, _, _ := strings.Cut(email, "@")
	return strings.ReplaceAll(local, ".", "-") + ".example"
}

// must makes a call that has to work.
func (l *life) must(ctx context.Context, t *testing.T, p *story.Person, method, path string, body any) {
	t.Helper()
	answer, err := p.Call(ctx, method, path, body, "")
	require.NoError(t, err)
	require.Less(t, answer.Status, 300, "%s %s: %s", method, path, answer.Body)
}

// move gives her another address, and leaves behind what nobody finished: a code to reset the password, and one for a third address.
func (l *life) move(ctx context.Context, t *testing.T, s *local.System, to string) {
	t.Helper()
	change := func(email string) {
		l.must(ctx, t, l.Person, http.MethodPost, "/api/auth/change-email/", map[string]any{"new_email": email, "password": story.Password})
	}
	change(to)
	require.NoError(t, l.Verify(ctx, codeIn(t, mailTo(t, ctx, s, to, "code"))))
	mailTo(t, ctx, s, l.Email, "changed")
	l.Email = to
	l.words = append(l.words, to)
	third := "third-" + to
	change(third)
	l.words = append(l.words, third)
	l.must(ctx, t, l.Person, http.MethodPost, "/api/auth/forgot-password/", map[string]any{"email": to})
	wrong, err := story.NewPhone(s.URL).Call(ctx, http.MethodPost, "/api/auth/login/", map[string]any{"email": to, "password": "wrong"}, "")
	require.NoError(t, err)
	require.NoError(t, wrong.Decode(http.StatusUnauthorized, nil))
	require.NoError(t, l.SignIn(ctx))
}

// work has one person give the other a task in a home, who skips it once, calls a contractor and completes it.
func (l *life) work(ctx context.Context, t *testing.T, home int64, what string, by, to *story.Person) {
	t.Helper()
	var task, contractor struct{ ID int64 }
	require.NoError(t, to.Create(ctx, "/api/contractors/", http.StatusCreated, map[string]any{"residence_id": home, "name": what, "specialty_ids": []any{14}}, &contractor))
	require.NoError(t, by.Create(ctx, "/api/tasks/", http.StatusCreated, map[string]any{
		"residence_id": home, "title": what, "due_date": story.Day(9), "frequency_id": 3, "assigned_to_id": to.ID, "contractor_id": contractor.ID,
	}, &task))
	one := map[string]any{"title": what, "description": what, "assigned_to_id": to.ID}
	require.NoError(t, by.Create(ctx, "/api/tasks/bulk/", http.StatusCreated, map[string]any{"residence_id": home, "tasks": []any{one, one}}, nil))
	require.NoError(t, to.Create(ctx, fmt.Sprintf("/api/tasks/%d/skip/", task.ID), http.StatusOK, map[string]any{"notes": what}, nil))
	require.NoError(t, to.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": task.ID, "notes": what}, nil))
	shot, err := story.Shot(16, 8)
	require.NoError(t, err)
	photo := story.Picture("document_image", shot)
	photo.Name = what + ".jpg"
	sent, err := to.Send(ctx, photo)
	require.NoError(t, err)
	require.NoError(t, to.Create(ctx, "/api/documents/", http.StatusCreated, map[string]any{
		"residence_id": home, "title": what, "document_type": "receipt", "contractor_id": contractor.ID, "upload_ids": []any{sent},
	}, nil))
}

// keys are what the objects in the bucket begin with that are hers alone: what waits, and what belongs to her home.
func (l *life) keys(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	return value[[]string](t, db, `SELECT array_agg(object_key) FROM (
		SELECT object_key FROM pending_uploads WHERE user_id = $1 AND state = 'pending' UNION ALL
		SELECT object_key FROM upload_media WHERE residence_id = $2) mine`, l.ID, l.own)
}

// inBucket returns the objects that begin with one of the keys.
func inBucket(ctx context.Context, t *testing.T, p *story.Person, keys []string) (found []string) {
	t.Helper()
	var page struct{ Results []struct{ Key string } }
	require.NoError(t, p.Read(ctx, "/_local/bucket", &page))
	for _, object := range page.Results {
		if slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(object.Key, key) }) {
			found = append(found, object.Key)
		}
	}
	return found
}

// readEverything has both read what functions keep in the cache.
func readEverything(ctx context.Context, t *testing.T, l life) {
	t.Helper()
	for _, p := range []*story.Person{l.Person, l.other} {
		for _, path := range []string{"/api/auth/me/", "/api/auth/export/", "/api/residences/my/", "/api/contractors/", "/api/tasks/", "/api/task-completions/", "/api/documents/", "/api/notifications/", "/api/notifications/devices/"} {
			l.must(ctx, t, p, http.MethodGet, path, nil)
		}
	}
}

// mentions returns the tables with a row that holds text, in whatever case or as bytes.
func mentions(t *testing.T, db *pgxpool.Pool, text string) (found []string) {
	t.Helper()
	tables := value[[]string](t, db, `
		SELECT array_agg(format('%I.%I', n.nspname, c.relname) ORDER BY 1) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname !~ '^(pg_|information_schema$)'`)
	for _, table := range tables {
		if value[bool](t, db, `SELECT EXISTS (SELECT FROM `+table+` r
			WHERE r::text ILIKE '%' || $1::text || '%' OR r::text LIKE '%' || encode(convert_to($1::text, 'UTF8'), 'hex') || '%')`, text) {
			found = append(found, table)
		}
	}
	return found
}

// inRedis returns the keys that hold text in their name or in their value, packed or not, in whatever case.
func inRedis(t *testing.T, s *local.System, text string) (found []string) {
	t.Helper()
	ctx := t.Context()
	options, err := redis.ParseURL(s.Redis.URL(0))
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer func() { require.NoError(t, client.Close()) }()
	keys, err := client.Keys(ctx, "*").Result()
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	for _, key := range keys {
		var held any
		switch typ := client.Type(ctx, key).Val(); typ {
		case "string":
			held, err = client.Get(ctx, key).Result()
		case "hash":
			held, err = client.HGetAll(ctx, key).Result()
		case "none": // it has just ended
		default:
			require.Fail(t, "a kind of value that is not looked into", "%s is a %s", key, typ)
		}
		if !errors.Is(err, redis.Nil) {
			require.NoError(t, err, key)
		}
		if body, ok := held.(string); ok {
			held = unpacked(t, body)
		}
		if strings.Contains(strings.ToLower(fmt.Sprint(key, held)), strings.ToLower(text)) {
			found = append(found, key)
		}
	}
	return found
}

// unpacked is a value as it was before it was packed, if it was.
func unpacked(t *testing.T, value string) string {
	t.Helper()
	if !strings.HasPrefix(value, "\x1f\x8b") {
		return value
	}
	zip, err := gzip.NewReader(bytes.NewReader([]byte(value)))
	require.NoError(t, err)
	body, err := io.ReadAll(zip)
	require.NoError(t, err)
	return string(body)
}

package main

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// A shelf is a list as tests read it.
type shelf struct {
	list, key, column string // key is what the API calls what stands in the column, which is the first one of the CSV file
}

var (
	peopleShelf  = shelf{people, "email", "Person"}
	homesShelf   = shelf{homes, "name", "Home"}
	tasksShelf   = shelf{tasks, "title", "Task"}
	uploadsShelf = shelf{uploads, "id", "Upload"}
)

// found returns what a list shows for an address's parameters, which must be the same on its page, in its file and by the API.
func (b *bundle) found(t *testing.T, as account, of shelf, query string) []string {
	t.Helper()
	page := b.browse(t, "/"+of.list+"/?"+query, as.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	shown := []string{}
	for _, cell := range regexp.MustCompile(`<td data-of="`+of.column+`">(?:<a [^>]*>)?<bdi>([^<]*)</bdi>`).FindAllStringSubmatch(page.Body, -1) {
		shown = append(shown, html.UnescapeString(cell[1]))
	}
	file := b.browse(t, "/"+of.list+".csv?"+query, as.Cookie, nil)
	require.Equal(t, 200, file.Status, file.Body)
	lines, err := csv.NewReader(strings.NewReader(file.Body)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, of.column, lines[0][0])
	require.Len(t, lines, 1+len(shown))
	for i, line := range lines[1:] {
		require.Equal(t, harmless(shown[i]), line[0])
	}
	results, next := b.call(t, as, of, query)
	require.Empty(t, next)
	require.Equal(t, shown, results)
	return shown
}

// call returns a page of the API and where the next one begins.
func (b *bundle) call(t *testing.T, as account, of shelf, query string) (results []string, next string) {
	t.Helper()
	read := functiontest.Read[struct {
		Results    []object
		NextCursor *string `json:"next_cursor"`
	}](t, b.Call(t, "GET", "/api/admin/"+of.list+"/?"+query, as.Token, nil), 200)
	results = []string{}
	for _, r := range read.Results {
		results = append(results, fmt.Sprint(r[of.key]))
	}
	if read.NextCursor != nil {
		next = *read.NextCursor
	}
	return results, next
}

func TestPeopleAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	add := func(email, first, last, verified, disabled string) {
		b.Exec(t, `INSERT INTO auth_user (email, first_name, last_name, email_verified_at, disabled_at) VALUES ($1, $2, $3, `+verified+`, `+disabled+`)`, email, first, last)
	}
	add("ann@example.com", "Ann", "Heron", "now()", "NULL")
	add("bob_x@example.com", "Bob", "O'Hara", "NULL", "NULL")
	add("carla@example.org", "Ünal", "李雷", "now()", "now()")
	add("dora%25@example.org", "<b>Dora</b>", "\u202e=cmd()", "NULL", "now()")
	for query, want := range map[string][]string{
		"":                                     {"dora%25@example.org", "carla@example.org", "bob_x@example.com", "ann@example.com"},
		"state=active":                         {"ann@example.com"},
		"state=unverified":                     {"bob_x@example.com"},
		"state=disabled":                       {"dora%25@example.org", "carla@example.org"},
		"q=HERON":                              {"ann@example.com"},
		"q=+heron+ANN+":                        {"ann@example.com"},
		"q=ero":                                {"ann@example.com"},
		"q=example":                            {"dora%25@example.org", "carla@example.org", "bob_x@example.com", "ann@example.com"},
		"q=example.org&state=disabled":         {"dora%25@example.org", "carla@example.org"},
		"q=example.org&state=active":           {},
		"q=an":                                 {"ann@example.com"},
		"q=o":                                  {"dora%25@example.org", "carla@example.org", "bob_x@example.com"},
		"q=zz":                                 {},
		"q=nobody":                             {},
		"q=_":                                  {"bob_x@example.com"},
		"q=" + url.QueryEscape("%"):            {"dora%25@example.org"},
		"q=" + url.QueryEscape("O'"):           {"bob_x@example.com"},
		"q=" + url.QueryEscape(`\`):            {},
		"q=" + url.QueryEscape("(["):           {},
		"q=" + url.QueryEscape("Ünal"):         {"carla@example.org"},
		"q=" + url.QueryEscape("雷"):            {"carla@example.org"},
		"q=" + url.QueryEscape("<b>dora</b>"):  {"dora%25@example.org"},
		"q=" + url.QueryEscape("\u202e=cmd()"): {"dora%25@example.org"},
		"q=" + url.QueryEscape("carla heron 🏠"): {},
	} {
		require.Equal(t, want, b.found(t, as, peopleShelf, query), query)
	}
}

func TestHomesAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	ann, bob := b.Person(t, "ann"), b.Person(t, "bob")
	add := func(name, city string, owner functiontest.Person) int64 {
		id := b.Home(t, owner)
		b.Exec(t, `UPDATE residence_residence SET name = $2, city = nullif($3, '') WHERE id = $1`, id, name, city)
		return id
	}
	add("Elm Street", "Austin", ann)
	lake := add("Lake house", "", bob)
	add("=1+1", "Berlin", bob)
	b.Join(t, lake, ann, home.Viewer)
	for query, want := range map[string][]string{
		"":                                     {"=1+1", "Lake house", "Elm Street"},
		"q=austin":                             {"Elm Street"},
		"q=street+AUS":                         {"Elm Street"},
		"q=la":                                 {"Lake house"},
		"q=nowhere":                            {},
		fmt.Sprintf("people=%d", ann.ID):       {"Lake house", "Elm Street"},
		fmt.Sprintf("people=%d&q=elm", ann.ID): {"Elm Street"},
		"people=999":                           {},
	} {
		require.Equal(t, want, b.found(t, as, homesShelf, query), query)
	}
	require.Contains(t, b.browse(t, "/homes.csv", as.Cookie, nil).Body, "\n'=1+1,Berlin,"+bob.Email+",1,")
	require.Contains(t, b.browse(t, "/homes/?q=lake", as.Cookie, nil).Body, fmt.Sprintf(`<a href="/people/%d/"><bdi>%s</bdi></a>`, bob.ID, bob.Email))
}

func TestTasksAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	ann := b.Person(t, "ann")
	at, other := b.Home(t, ann), b.Home(t, ann)
	add := func(residence int64, title, columns, values string) {
		b.Exec(t, `INSERT INTO task_task (residence_id, title`+columns+`) VALUES ($1, $2`+values+`)`, residence, title)
	}
	add(at, "Mow", "", "")
	add(at, "mow again", ", assigned_to_id, in_progress", fmt.Sprintf(", %d, true", ann.ID))
	add(other, "Mow", ", completion_count, in_progress", ", 1, true")
	add(other, "MOW later", ", is_cancelled, is_archived", ", true, true")
	add(at, "Sweep", ", is_archived, assigned_to_id", fmt.Sprintf(", true, %d", ann.ID))
	add(at, "100% <i>", ", completion_count, next_due_on", ", 1, '2026-06-01'")
	for query, want := range map[string][]string{
		"":                                     {"100% <i>", "Sweep", "MOW later", "Mow", "mow again", "Mow"},
		"q=mow":                                {"Mow", "Mow", "mow again", "MOW later"},
		"q=MOW+A":                              {"mow again"},
		"q=ow":                                 {},
		"q=100%25":                             {"100% <i>"},
		"q=%25":                                {},
		"state=open":                           {"100% <i>", "Mow"},
		"state=in_progress":                    {"mow again"},
		"state=completed":                      {"Mow"},
		"state=cancelled":                      {"MOW later"},
		"state=archived":                       {"Sweep"},
		"state=cancelled&q=m":                  {"MOW later"},
		"state=archived&q=m":                   {},
		fmt.Sprintf("homes=%d", other):         {"MOW later", "Mow"},
		fmt.Sprintf("homes=%d&q=mow", other):   {"Mow", "MOW later"},
		fmt.Sprintf("homes=%d&state=open", at): {"100% <i>", "Mow"},
		fmt.Sprintf("homes=%d&q=m&state=open", at):  {"Mow"},
		fmt.Sprintf("people=%d", ann.ID):            {"Sweep", "mow again"},
		fmt.Sprintf("people=%d&q=m", ann.ID):        {"mow again"},
		fmt.Sprintf("people=%d&state=open", ann.ID): {},
	} {
		require.Equal(t, want, b.found(t, as, tasksShelf, query), query)
	}
}

func TestUploadsAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	ann, bob := b.Person(t, "ann"), b.Person(t, "bob")
	at := b.Home(t, ann)
	add := func(of functiontest.Person, state, media string) string {
		id := functiontest.Value[int64](t, b.Server, `
			INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
			VALUES ($1, 'residence_image', 'image/jpeg', 9, 0, gen_random_uuid()::text, $2, now()) RETURNING id`, of.ID, state)
		if media != "" {
			b.Exec(t, `INSERT INTO upload_media (id, residence_id, content_type, object_key, state, reason)
				VALUES ($1, $2, 'image/jpeg', gen_random_uuid()::text, $3, CASE $3 WHEN 'failed' THEN 'not a JPEG' END)`, id, at, media)
		}
		return fmt.Sprint(id)
	}
	pending, cleaning, ready := add(ann, "pending", ""), add(ann, "attached", "cleaning"), add(bob, "attached", "ready")
	failed, expired, given := add(bob, "attached", "failed"), add(bob, "expired", ""), add(ann, "given_up", "")
	for query, want := range map[string][]string{
		"":                               {given, expired, failed, ready, cleaning, pending},
		"state=pending":                  {pending},
		"state=cleaning":                 {cleaning},
		"state=ready":                    {ready},
		"state=failed":                   {failed},
		"state=expired":                  {expired},
		"state=given_up":                 {given},
		fmt.Sprintf("people=%d", ann.ID): {given, cleaning, pending},
		fmt.Sprintf("people=%d&state=ready", bob.ID): {ready},
		fmt.Sprintf("homes=%d", at):                  {failed, ready, cleaning},
		fmt.Sprintf("homes=%d&state=failed", at):     {failed},
		fmt.Sprintf("homes=%d&state=pending", at):    {},
		"homes=999": {},
	} {
		require.Equal(t, want, b.found(t, as, uploadsShelf, query), query)
	}
	require.Contains(t, b.browse(t, "/uploads/", as.Cookie, nil).Body, "not a JPEG")
}

// TestPagesLoseNothing: what is there from the first page to the last is on one page, whatever comes and goes meanwhile.
func TestPagesLoseNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	ann := b.Person(t, "ann")
	at := b.Home(t, ann)
	for list, c := range map[string]struct {
		of        shelf
		add, drop string
		queries   []string
	}{
		people: {peopleShelf, `INSERT INTO auth_user (email) SELECT $1::text || '@example.net' FROM (SELECT $2::bigint, $3::bigint) x`,
			`DELETE FROM auth_user WHERE email = $1`, []string{"q=example.net", "state=unverified", "q=example.net&state=unverified"}},
		homes: {homesShelf, `INSERT INTO residence_residence (name) SELECT 'Hut ' || $1::text FROM (SELECT $2::bigint, $3::bigint) x`,
			`DELETE FROM residence_residence WHERE name = $1`, []string{"q=hut", "q=hu"}},
		tasks: {tasksShelf, `INSERT INTO task_task (title, residence_id, assigned_to_id) VALUES ('Mow ' || $1::text, $2, $3)`,
			`DELETE FROM task_task WHERE title = $1`, []string{"", "q=mow", "state=open", "state=open&q=mow", "homes=%[1]d", "homes=%[1]d&q=mow", "people=%[2]d"}},
		uploads: {uploadsShelf, `INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
			SELECT $3, 'residence_image', 'image/jpeg', 9, 0, $1::text || $2::bigint, now()`, `DELETE FROM pending_uploads WHERE id = $1::bigint`,
			[]string{"", "state=pending", "people=%[2]d"}},
	} {
		for i, pattern := range c.queries {
			query := pattern
			if strings.Contains(pattern, "%") {
				query = fmt.Sprintf(pattern, at, ann.ID)
				query, _, _ = strings.Cut(query, "%!")
			}
			for n := range 9 {
				b.Exec(t, c.add, fmt.Sprintf("%d-%d", i, n), at, ann.ID)
			}
			want := b.found(t, as, c.of, query)
			var seen []string
			for next, n := "", 0; ; n++ {
				var page []string
				page, next = b.call(t, as, c.of, query+"&limit=2&cursor="+next)
				seen = append(seen, page...)
				if next == "" {
					break
				}
				b.Exec(t, c.drop, page[len(page)-1])
				if !strings.Contains(query, "q=mow") { // there, what comes may lie ahead
					b.Exec(t, c.add, fmt.Sprintf("new-%d-%d", i, n), at, ann.ID)
				}
			}
			require.Equal(t, want, seen, "%s: %s", list, query)
		}
	}
}

// TestSameTitles: tasks of one title are told apart by their ids, and what comes and goes between pages moves nothing.
func TestSameTitles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	at := b.Home(t, b.Person(t, "ann"))
	b.Exec(t, `INSERT INTO task_task (residence_id, title, is_cancelled, in_progress) SELECT $1, 'Mow', g % 3 = 0, g % 3 = 1 FROM generate_series(1, 30) g`, at)
	byID := shelf{tasks, "id", "Task"}
	var seen []string
	for next := ""; ; {
		var page []string
		page, next = b.call(t, as, byID, "q=mow&limit=7&cursor="+next)
		seen = append(seen, page...)
		if next == "" {
			break
		}
		b.Exec(t, `DELETE FROM task_task WHERE id = $1::bigint`, page[len(page)-1])
		b.Exec(t, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'Moss')`, at)
	}
	require.Len(t, seen, 30)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(seen))), 30)
}

// TestRareBehindMany: a search that finds little among the next rows asks the index for the rest.
func TestRareBehindMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	b.Exec(t, `INSERT INTO auth_user (email, first_name, disabled_at)
		SELECT 'p' || g || '@example.com', CASE WHEN g % 3000 = 1 THEN 'Rare 雷' ELSE 'Many' END, CASE WHEN g % 6000 = 1 THEN now() END FROM generate_series(1, 9500) g`)
	for query, want := range map[string][]string{
		"q=rare":                    {"p9001@example.com", "p6001@example.com", "p3001@example.com", "p1@example.com"},
		"q=ra":                      {"p9001@example.com", "p6001@example.com", "p3001@example.com", "p1@example.com"},
		"q=" + url.QueryEscape("雷"): {"p9001@example.com", "p6001@example.com", "p3001@example.com", "p1@example.com"},
		"q=rare&state=disabled":     {"p6001@example.com", "p1@example.com"},
		"q=rare+many":               {},
		"q=p9500&state=unverified":  {"p9500@example.com"},
	} {
		require.Equal(t, want, b.found(t, as, peopleShelf, query), query)
	}
	first, next := b.call(t, as, peopleShelf, "q=rare&limit=2")
	rest, end := b.call(t, as, peopleShelf, "q=rare&limit=2&cursor="+next)
	require.Equal(t, []string{"p9001@example.com", "p6001@example.com", "p3001@example.com", "p1@example.com"}, append(first, rest...))
	require.Empty(t, end)
}

func TestWhatListsRefuse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, adminRole)
	for _, path := range []string{
		"people/?state=open", "people/?homes=1", "people/?people=1", "people/?tasks=1", "people/?cursor=x", "people/?cursor=bnVsbA=", "people/?q=%00", "people/?q=%ff",
		"people/?q=" + strings.Repeat("a", 101), "homes/?state=open", "homes/?homes=1", "homes/?people=0", "homes/?people=x", "homes/?people=-1", "homes/?people=99999999999999999999",
		"tasks/?state=overdue", "tasks/?homes=1&people=1", "tasks/?tasks=1", "tasks/?cursor=%00", "uploads/?q=x", "uploads/?state=attached", "uploads/?tasks=1",
	} {
		functiontest.Refused(t, b.Call(t, "GET", "/api/admin/"+path, as.Token, nil), 422)
		require.Equal(t, 422, b.browse(t, "/"+path, as.Cookie, nil).Status, path)
		require.Equal(t, 422, b.browse(t, "/"+strings.Replace(path, "/", ".csv", 1), as.Cookie, nil).Status, path)
	}
	for _, limit := range []string{"0", "101", "x"} {
		require.Equal(t, 422, b.Call(t, "GET", "/api/admin/people/?limit="+limit, as.Token, nil).Status, limit)
	}
	for _, list := range []string{people, homes, tasks, deliveries} {
		for _, id := range []string{"0", "-1", "01", "+1", "x", "999", "99999999999999999999", "1%20", "%00"} {
			functiontest.Refused(t, b.Call(t, "GET", "/api/admin/"+list+"/"+id+"/", as.Token, nil), 404)
			require.Equal(t, 404, b.browse(t, "/"+list+"/"+id+"/", as.Cookie, nil).Status, "%s %s", list, id)
		}
	}
	require.Equal(t, 404, b.browse(t, "/uploads/1/", as.Cookie, nil).Status)
}

// planted is what nobody may see.
const planted = "planted-secret-of-somebody"

// TestNoPageTellsSecrets plants what proves who somebody is, and where files are, and looks for it on every page.
func TestNoPageTellsSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, adminRole)
	ann := b.Person(t, "ann")
	at := b.Home(t, ann)
	b.Exec(t, `UPDATE auth_user SET password_hash = $2 WHERE id = $1`, ann.ID, planted)
	b.Exec(t, `UPDATE auth_session SET token_hash = $2::bytea, device_name = 'Phone' WHERE user_id = $1`, ann.ID, []byte(planted))
	b.Exec(t, `INSERT INTO auth_device (user_id, session_id, platform, token, name) SELECT user_id, id, 'ios', $2, 'Phone' FROM auth_session WHERE user_id = $1`, ann.ID, planted)
	b.Exec(t, `INSERT INTO auth_code (user_id, purpose, nonce, new_email, expires_at) VALUES ($1, 'change_email', $2::bytea, $3, now() + interval '1 hour')`, ann.ID, []byte(planted), planted)
	b.Exec(t, `INSERT INTO residence_share_code (residence_id, code_hash, created_by_id, expires_at) VALUES ($1, $2::bytea, $3, now() + interval '1 hour')`, at, []byte(planted), ann.ID)
	upload := functiontest.Value[int64](t, b.Server, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, filename, state, expires_at)
		VALUES ($1, 'document_file', 'application/pdf', 9, 0, $2, $2, 'attached', now()) RETURNING id`, ann.ID, planted)
	b.Exec(t, `INSERT INTO upload_media (id, residence_id, content_type, object_key, filename, state) VALUES ($1, $2, 'application/pdf', $3, $3, 'ready')`, upload, at, planted)
	b.Exec(t, `INSERT INTO upload_tombstone (object_key) VALUES ($1)`, planted)
	task := functiontest.Value[int64](t, b.Server, `INSERT INTO task_task (residence_id, title, assigned_to_id) VALUES ($1, 'Mow', $2) RETURNING id`, at, ann.ID)
	one := []string{fmt.Sprintf("people/%d/", ann.ID), fmt.Sprintf("homes/%d/", at), fmt.Sprintf("tasks/%d/", task)}
	hidden := []string{planted, hex.EncodeToString([]byte(planted)), base64.StdEncoding.EncodeToString([]byte(planted)), base64.RawURLEncoding.EncodeToString([]byte(planted))}
	for _, path := range append(one, "people/", "homes/", "tasks/", "uploads/", "deliveries/", "audit/") {
		page, answer := b.browse(t, "/"+path, as.Cookie, nil), b.Call(t, "GET", "/api/admin/"+path, as.Token, nil)
		require.Equal(t, 200, page.Status, path)
		require.Equal(t, 200, answer.Status, path)
		bodies := []string{page.Body, string(answer.Body)}
		if !slices.Contains(one, path) {
			bodies = append(bodies, b.browse(t, "/"+strings.TrimSuffix(path, "/")+".csv", as.Cookie, nil).Body)
		}
		for _, body := range bodies {
			for _, secret := range hidden {
				require.NotContains(t, body, secret, path)
			}
		}
	}
}

func TestMarksOfTasks(t *testing.T) {
	t.Parallel()
	list := (&service{}).tasks().listing.(list[task])
	require.Equal(t, mark{ID: 3}, list.Mark(query{}, task{ID: 3, Key: "mow"}))
	m := list.Mark(query{Q: "m"}, task{ID: 3, Key: "mow"})
	require.Equal(t, mark{Key: "mow", ID: 3}, m)
	text, err := base64.RawURLEncoding.DecodeString(m.String())
	require.NoError(t, err)
	require.True(t, json.Valid(text))
}

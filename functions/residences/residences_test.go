package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/page"
)

const whole = `{"name": " Elm Street ", "is_primary": true, "residence_type": "house", "street_address": "12 Elm Street", "apartment_unit": "B",
	"city": "Austin", "state_province": "TX", "postal_code": "78701", "country": "USA", "bedrooms": 3, "bathrooms": 2.5,
	"square_footage": 1850, "lot_size": 0.256, "year_built": 1987, "description": "  ", "purchase_date": "2019-06-01",
	"purchase_price": "315000.5", "heating": "gas furnace", "cooling": "central air", "water_heater": "tankless", "roof": "slate",
	"pool": true, "sprinkler": false, "septic": false, "fireplace": true, "garage": true, "basement": false, "attic": null,
	"exterior": "brick", "flooring": "oak", "landscaping": "lawn"}`

func TestCreate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := functiontest.Read[map[string]any](t, b.Call(t, "POST", all, b.owner.Token, whole), 201)
	var want map[string]any
	require.NoError(t, json.Unmarshal([]byte(whole), &want))
	want["name"], want["description"], want["lot_size"], want["purchase_price"] = "Elm Street", nil, 0.26, "315000.50"
	want["images"] = []any{}
	want["role"], want["created_by_id"] = "owner", float64(b.owner.ID)
	want["id"], want["created_at"], want["updated_at"] = made["id"], made["created_at"], made["updated_at"]
	require.Equal(t, want, made)

	path := all + fmt.Sprint(made["id"]) + "/"
	require.Equal(t, made, functiontest.Read[map[string]any](t, b.Call(t, "GET", path, b.owner.Token, nil), 200))
	functiontest.Refused(t, b.Call(t, "GET", path, b.member.Token, nil), 404)

	bare := functiontest.Read[map[string]any](t, b.Call(t, "POST", all, b.owner.Token, `{"name":"Cabin"}`), 201)
	require.Len(t, bare, len(made))
	require.Nil(t, bare["pool"])
	require.Equal(t, false, bare["is_primary"])
}

// A field is one line of Details and one name in the list of columns: this holds them against the table.
func TestEveryColumnIsAField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	columns := functiontest.Value[[]string](t, b.Server, `
		SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute WHERE attrelid = 'residence_residence'::regclass AND attnum > 0`)
	var named []string
	for name := range strings.SplitSeq(written+", id, created_by_id, created_at, updated_at", ",") {
		named = append(named, strings.TrimSpace(name))
	}
	require.ElementsMatch(t, columns, named)
	fields, err := json.Marshal(Residence{})
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(fields, &keys))
	require.Len(t, keys, len(columns)+2, "and the role and the images")
	for _, column := range columns {
		require.Contains(t, keys, column)
	}
}

func TestCreateTwiceWithOneKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	first := b.Call(t, "POST", all, b.stranger.Token, whole, key)
	again := b.Call(t, "POST", all, b.stranger.Token, whole, key)
	require.Equal(t, 201, again.Status)
	require.JSONEq(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	functiontest.Refused(t, b.Call(t, "POST", all, b.stranger.Token, `{"name":"Other"}`, key), 422)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_member WHERE user_id = $1`, b.stranger.ID))
}

func TestListsInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := []int64{b.home}
	for range 4 {
		want = append(want, b.Home(t, b.owner))
		b.Home(t, b.stranger)
	}
	for _, list := range []string{all, all + "my/"} {
		var got []int64
		query := "?limit=2"
		for {
			r := functiontest.Read[page.List[Residence]](t, b.Call(t, "GET", list+query, b.owner.Token, nil), 200)
			for _, one := range r.Results {
				require.Equal(t, home.Owner, one.Role)
				got = append(got, one.ID)
			}
			if r.NextCursor == nil {
				break
			}
			require.Len(t, r.Results, 2)
			query = "?limit=2&cursor=" + *r.NextCursor
		}
		require.Equal(t, want, got, list)
		functiontest.Refused(t, b.Call(t, "GET", list+"?cursor=x", b.owner.Token, nil), 422)
		functiontest.Refused(t, b.Call(t, "GET", list+"?limit=101", b.owner.Token, nil), 422)
	}
	alone := b.Person(t, "zoe")
	require.JSONEq(t, `{"results": [], "next_cursor": null}`, string(b.Call(t, "GET", all+"my/", alone.Token, nil).Body))
}

func TestMyCountsByTheCallersDate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.member)
	// The dates count from 10 March; the last of them is due soon only where it is the 11th already.
	for days, title := range map[int]string{-400: "a", -1: "b", 0: "c", 30: "d", 31: "e"} {
		b.Exec(t, `INSERT INTO task_task (residence_id, title, next_due_on) VALUES ($1, $2, date '2026-03-10' + $3::integer)`, b.home, title, days)
	}
	b.Exec(t, `INSERT INTO task_task (residence_id, title, in_progress, is_cancelled, is_archived, completion_count) VALUES
		($1, 'no date', false, false, false, 0), ($1, 'begun', true, false, false, 0), ($1, 'done', false, false, false, 2),
		($1, 'cancelled', false, true, false, 0), ($1, 'archived', false, false, true, 3)`, b.home)

	for zone, want := range map[string]Counts{
		"":                   {Overdue: 2, DueSoon: 2, Upcoming: 2, InProgress: 1, Completed: 1},
		"Pacific/Kiritimati": {Overdue: 3, DueSoon: 2, Upcoming: 1, InProgress: 1, Completed: 1},
		"Etc/GMT+12":         {Overdue: 1, DueSoon: 2, Upcoming: 3, InProgress: 1, Completed: 1},
	} {
		var headers []functiontest.Header
		if zone != "" {
			headers = append(headers, functiontest.Header{Name: "X-Timezone", Value: zone})
		}
		mine := functiontest.Read[page.List[MyResidence]](t, b.Call(t, "GET", all+"my/", b.member.Token, nil, headers...), 200)
		require.Len(t, mine.Results, 2)
		require.Equal(t, b.home, mine.Results[0].ID)
		require.Equal(t, want, mine.Results[0].Summary, zone)
		require.Equal(t, 3, mine.Results[0].Members)
		require.Equal(t, home.Member, mine.Results[0].Role)
		require.Equal(t, second, mine.Results[1].ID)
		require.Equal(t, MyResidence{Residence: mine.Results[1].Residence, Members: 1}, mine.Results[1])
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := functiontest.Read[map[string]any](t, b.Call(t, "POST", all, b.owner.Token, whole), 201)
	path := all + fmt.Sprint(made["id"]) + "/"
	changed := functiontest.Read[map[string]any](t, b.Call(t, "PATCH", path, b.owner.Token,
		`{"name": " Oak ", "city": null, "pool": null, "attic": true, "bathrooms": 1, "purchase_price": "0.1", "purchase_date": null, "roof": " tile "}`), 200)
	for field, value := range map[string]any{
		"name": "Oak", "city": nil, "pool": nil, "attic": true, "bathrooms": 1.0, "purchase_price": "0.10", "purchase_date": nil, "roof": "tile",
	} {
		require.Equal(t, value, changed[field], field)
		made[field] = value
	}
	before, err := time.Parse(time.RFC3339Nano, made["updated_at"].(string))
	require.NoError(t, err)
	after, err := time.Parse(time.RFC3339Nano, changed["updated_at"].(string))
	require.NoError(t, err)
	require.True(t, after.After(before))
	made["updated_at"] = changed["updated_at"]
	require.Equal(t, made, changed, "nothing else changed")
	require.Equal(t, changed, functiontest.Read[map[string]any](t, b.Call(t, "GET", path, b.owner.Token, nil), 200))

	byMember := functiontest.Read[Residence](t, b.Call(t, "PATCH", b.path(), b.member.Token, `{"name":"Ours"}`), 200)
	require.Equal(t, "Ours", byMember.Name)
	require.Equal(t, home.Member, byMember.Role)
}

func TestOneHomeIsPrimary(t *testing.T) {
	t.Parallel()
	b := setup(t)
	primaries := func(p functiontest.Person) []int64 {
		return functiontest.Value[[]int64](t, b.Server, `
			SELECT coalesce(array_agg(r.id ORDER BY r.id), '{}') FROM residence_residence r JOIN residence_member m ON m.residence_id = r.id
			WHERE r.is_primary AND m.role = 'owner' AND m.user_id = $1`, p.ID)
	}
	first := functiontest.Read[Residence](t, b.Call(t, "POST", all, b.owner.Token, `{"name":"A","is_primary":true}`), 201).ID
	require.Equal(t, []int64{first}, primaries(b.owner))
	functiontest.Read[Residence](t, b.Call(t, "PATCH", b.path(), b.owner.Token, `{"is_primary":true}`), 200)
	require.Equal(t, []int64{b.home}, primaries(b.owner))

	// A member keeps a primary home of their own, and has no say in this one.
	own := functiontest.Read[Residence](t, b.Call(t, "POST", all, b.member.Token, `{"name":"B","is_primary":true}`), 201).ID
	functiontest.Refused(t, b.Call(t, "PATCH", b.path(), b.member.Token, `{"is_primary":false}`), 403)
	functiontest.Read[Residence](t, b.Call(t, "PATCH", b.path(), b.member.Token, `{"is_primary":true,"name":"C"}`), 200)
	require.Equal(t, []int64{own}, primaries(b.member))
	require.Equal(t, []int64{b.home}, primaries(b.owner))

	functiontest.Read[Member](t, b.Call(t, "PATCH", b.path("users", b.member.ID), b.owner.Token, `{"role":"owner"}`), 200)
	require.Equal(t, []int64{own}, primaries(b.member), "what is handed over is primary no more")
	require.Empty(t, primaries(b.owner))
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'gutters')`, b.home)
	b.share(t)
	kept := b.KeepBoards(t, b.owner, b.member, b.viewer, b.stranger)
	require.Equal(t, 204, b.Call(t, "DELETE", b.path(), b.owner.Token, nil).Status)
	require.False(t, kept(b.owner) || kept(b.member) || kept(b.viewer))
	require.Eventually(t, func() bool { return kept(b.stranger) }, 20*time.Second, 10*time.Millisecond)
	for _, table := range []string{"residence_residence", "residence_member", "residence_share_code", "task_task"} {
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM `+table), table)
	}
	functiontest.Refused(t, b.Call(t, "DELETE", b.path(), b.owner.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "GET", b.path(), b.member.Token, nil), 404)
}

// TestAccess calls everything as everyone who may not.
func TestAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code := b.share(t)
	before := b.state(t)
	for _, c := range []struct {
		method, path   string
		body           any
		viewer, member int // status for them; 0: allowed
	}{
		{"GET", all, nil, 0, 0},
		{"POST", all, `{"name":"x"}`, 0, 0},
		{"GET", all + "my/", nil, 0, 0},
		{"POST", all + "join/", map[string]string{"code": code}, 0, 0},
		{"GET", b.path(), nil, 0, 0},
		{"PATCH", b.path(), `{"name":"x"}`, 403, 0},
		{"DELETE", b.path(), nil, 403, 403},
		{"POST", b.path("share"), `{}`, 403, 403},
		{"DELETE", b.path("share"), nil, 403, 403},
		{"GET", b.path("users"), nil, 0, 0},
		{"PATCH", b.path("users", b.viewer.ID), `{"role":"member"}`, 403, 403},
		{"PATCH", b.path("users", b.member.ID), `{"role":"owner"}`, 403, 403},
		{"PATCH", b.path("users", b.stranger.ID), `{"role":"owner"}`, 403, 403},
		{"DELETE", b.path("users", b.owner.ID), nil, 403, 403},
	} {
		name := c.method + " " + c.path
		for token, status := range map[string]int{"": 401, "hd_unknown": 401} {
			r := b.Call(t, c.method, c.path, token, c.body)
			functiontest.Refused(t, r, status)
			require.Equal(t, "Token", r.Header.Get("WWW-Authenticate"), name)
		}
		if strings.HasPrefix(c.path, b.path()) {
			functiontest.Refused(t, b.Call(t, c.method, c.path, b.stranger.Token, c.body), 404)
			nowhere := strings.Replace(c.path, b.path(), all+"999999/", 1)
			require.JSONEq(t, string(b.Call(t, c.method, c.path, b.stranger.Token, c.body).Body),
				string(b.Call(t, c.method, nowhere, b.stranger.Token, c.body).Body), "a foreign home looks like none: %s", name)
		}
		if c.viewer != 0 {
			functiontest.Refused(t, b.Call(t, c.method, c.path, b.viewer.Token, c.body), c.viewer)
		}
		if c.member != 0 {
			functiontest.Refused(t, b.Call(t, c.method, c.path, b.member.Token, c.body), c.member)
		}
	}
	require.Equal(t, before, b.state(t))
	functiontest.Read[Residence](t, b.Call(t, "GET", b.path(), b.viewer.Token, nil), 200)
	functiontest.Read[page.List[Member]](t, b.Call(t, "GET", b.path("users"), b.viewer.Token, nil), 200)
}

func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.state(t)
	bodies := map[string]int{
		`{"name":"hunter2"`: 400, `{"name":"hunter2","name":"y"}`: 400, `{"name":"hunter2\u0000"}`: 400, "{\"name\":\"hunter2\xff\"}": 400,
		`[]`: 422, `null`: 422, `"hunter2"`: 422, `{"name":""}`: 422, `{"name":"  \u2003"}`: 422, `{"name":["hunter2"]}`: 422,
		`{"name":"hunter2","role":"owner"}`: 422, `{"name":"hunter2","id":1}`: 422, `{"name":"hunter2","CITY":"x"}`: 422,
		`{"name":"hunter2","is_primary":1}`: 422, `{"name":"hunter2","residence_type":"castle"}`: 422, `{"name":"hunter2","pool":"yes"}`: 422,
		`{"name":"hunter2","bedrooms":-1}`: 422, `{"name":"hunter2","bedrooms":1.5}`: 422, `{"name":"hunter2","bedrooms":1e300}`: 422,
		`{"name":"hunter2","bathrooms":2.3}`: 422, `{"name":"hunter2","bathrooms":1e9}`: 422, `{"name":"hunter2","lot_size":1e12}`: 422,
		`{"name":"hunter2","year_built":0}`: 422, `{"name":"hunter2","year_built":99999999999999999999}`: 422,
		`{"name":"hunter2","purchase_date":"2019-02-30"}`: 422, `{"name":"hunter2","purchase_date":"0000-01-01"}`: 422,
		`{"name":"hunter2","purchase_date":"-0001-01-01"}`: 422, `{"name":"hunter2","purchase_date":"10000-01-01"}`: 422,
		`{"name":"hunter2","purchase_price":129.9}`: 422, `{"name":"hunter2","purchase_price":"-1"}`: 422,
		`{"name":"hunter2","purchase_price":"1.999"}`: 422, `{"name":"hunter2","purchase_price":"12345678901"}`: 422,
		`{"name":"hunter2","heating":"` + strings.Repeat("x", 101) + `"}`: 422, `{"name":"` + strings.Repeat("hunter2", 100) + `"}`: 422,
		`{"name":"hunter2","upload_ids":["x"]}`: 422, `{"name":"hunter2","upload_ids":[1,2,3,4,5,6,7,8,9,10,11]}`: 422,
	}
	for body, status := range bodies {
		for _, r := range []functiontest.Response{
			b.Call(t, "POST", all, b.owner.Token, body),
			b.Call(t, "PATCH", b.path(), b.owner.Token, body),
		} {
			require.Equal(t, status, r.Status, "%s: %s", body, r.Body)
			functiontest.Refused(t, r, status)
			require.NotContains(t, string(r.Body), "hunter2")
		}
	}
	for _, body := range []string{`{}`, `{"name":null}`, `{"city":"x"}`} {
		functiontest.Refused(t, b.Call(t, "POST", all, b.owner.Token, body), 422)
	}
	for _, c := range []struct{ method, path, body string }{
		{"POST", b.path("share"), `{"expires_in_hours":0}`},
		{"POST", b.path("share"), `{"expires_in_hours":169}`},
		{"POST", b.path("share"), `{"expires_in_hours":"hunter2"}`},
		{"POST", b.path("share"), `{"hunter2":1}`},
		{"POST", all + "join/", `{}`},
		{"POST", all + "join/", `{"code":""}`},
		{"POST", all + "join/", `{"code":"` + strings.Repeat("A", 65) + `"}`},
		{"PATCH", b.path(), `{"name":null}`},
		{"PATCH", b.path(), `{"is_primary":null}`},
		{"PATCH", b.path("users", b.member.ID), `{}`},
		{"PATCH", b.path("users", b.member.ID), `{"role":"hunter2"}`},
		{"PATCH", b.path("users", b.member.ID), `{"role":null}`},
		{"PATCH", b.path("users", 0), `{"role":"viewer"}`},
		{"DELETE", b.path("users", "hunter2"), ``},
		{"DELETE", b.path("users", "99999999999999999999"), ``},
		{"GET", all + "0/", ``},
		{"GET", all + "-1/", ``},
		{"GET", all + "hunter2/", ``},
		{"GET", all + "?hunter2=1", ``},
	} {
		var body any
		if c.body != "" {
			body = c.body
		}
		r := b.Call(t, c.method, c.path, b.owner.Token, body)
		require.Equal(t, 422, r.Status, "%s %s %s: %s", c.method, c.path, c.body, r.Body)
		require.NotContains(t, string(r.Body), "hunter2")
	}
	require.Equal(t, before, b.state(t))
	functiontest.Refused(t, b.Call(t, "DELETE", b.path()+"typo/", b.owner.Token, nil), 404)
	require.Equal(t, before, b.state(t))
	require.Equal(t, 200, b.Call(t, "PATCH", b.path(), b.owner.Token, `{}`).Status)
}

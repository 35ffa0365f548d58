package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/page"
)

// keep adds a document to the home as its member, with fields on top of the required ones.
func (b *bundle) keep(t testing.TB, title string, fields object) Document {
	t.Helper()
	body := object{"residence_id": b.home, "title": title, "document_type": "other"}
	for key, value := range fields {
		body[key] = value
	}
	return functiontest.Read[Document](t, b.Call(t, "POST", documentsPath, b.bob.Token, body), 201)
}

// task and contractor add one to a home and return its id.
func (b *bundle) task(t testing.TB, home int64) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'x') RETURNING id`, home)
}

func (b *bundle) contractor(t testing.TB, home int64) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `INSERT INTO residence_contractor (residence_id, name) VALUES ($1, 'x') RETURNING id`, home)
}

func TestCreateDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, contractor := b.task(t, b.home), b.contractor(t, b.home)
	made := functiontest.Read[map[string]any](t, b.Call(t, "POST", documentsPath, b.bob.Token, fmt.Sprintf(`{"residence_id": %d, "title": " Water heater ",
		"document_type": "warranty", "description": " Ten years ", "task_id": %d, "contractor_id": %d, "vendor": "Marsh ", "serial_number": " \u2003",
		"model_number": "XG40", "purchase_date": "2025-04-12", "purchase_price": "849", "warranty_expires_on": "2035-04-12"}`, b.home, task, contractor)), 201)
	require.Equal(t, map[string]any{
		"id": made["id"], "residence_id": float64(b.home), "title": "Water heater", "document_type": "warranty", "description": "Ten years",
		"task_id": float64(task), "contractor_id": float64(contractor), "vendor": "Marsh", "serial_number": nil, "model_number": "XG40",
		"purchase_date": "2025-04-12", "purchase_price": "849.00", "warranty_expires_on": "2035-04-12", "files": []any{},
		"created_by_id": float64(b.bob.ID), "created_at": made["created_at"], "updated_at": made["created_at"],
	}, made)
	path := documentPath(int64(made["id"].(float64)))
	for _, p := range []functiontest.Person{b.ann, b.bob, b.vera} {
		require.Equal(t, made, functiontest.Read[map[string]any](t, b.Call(t, "GET", path, p.Token, nil), 200))
	}

	bare := functiontest.Read[map[string]any](t, b.Call(t, "POST", documentsPath, b.ann.Token, object{"residence_id": b.home, "title": "x", "document_type": "other", "upload_ids": nil}), 201)
	require.Len(t, bare, len(made))
	for _, field := range []string{"description", "task_id", "contractor_id", "vendor", "serial_number", "model_number", "purchase_date", "purchase_price", "warranty_expires_on"} {
		require.Nil(t, bare[field], field)
	}

	// What it is about can go.
	b.Exec(t, `DELETE FROM task_task WHERE id = $1`, task)
	b.Exec(t, `DELETE FROM residence_contractor WHERE id = $1`, contractor)
	left := functiontest.Read[Document](t, b.Call(t, "GET", path, b.bob.Token, nil), 200)
	require.Nil(t, left.TaskID)
	require.Nil(t, left.ContractorID)
	require.Equal(t, b.home, left.ResidenceID)
}

func TestCreateDocumentTwiceWithOneKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	body := object{"residence_id": b.home, "title": "x", "document_type": "manual"}
	first := b.Call(t, "POST", documentsPath, b.bob.Token, body, key)
	again := b.Call(t, "POST", documentsPath, b.bob.Token, body, key)
	require.Equal(t, 201, first.Status)
	require.Equal(t, 201, again.Status)
	require.Empty(t, first.Header.Get("Idempotent-Replay"))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	require.JSONEq(t, string(first.Body), string(again.Body))
	functiontest.Refused(t, b.Call(t, "POST", documentsPath, b.bob.Token, object{"residence_id": b.home, "title": "y", "document_type": "manual"}, key), 422)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_document`))
}

func TestChangeDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, contractor := b.task(t, b.home), b.contractor(t, b.home)
	made := b.keep(t, "Boiler", object{
		"document_type": "receipt", "description": "d", "task_id": task, "contractor_id": contractor, "vendor": "v", "serial_number": "s",
		"model_number": "m", "purchase_date": "2025-01-02", "purchase_price": "1.5", "warranty_expires_on": "2027-01-02",
	})
	change := func(body string) Document {
		return functiontest.Read[Document](t, b.Call(t, "PATCH", documentPath(made.ID), b.ann.Token, body), 200)
	}
	same := change(`{}`)
	require.True(t, same.UpdatedAt.After(made.UpdatedAt))
	made.UpdatedAt = same.UpdatedAt
	require.Equal(t, made, same)

	changed := change(`{"title": " New boiler ", "document_type": "warranty", "purchase_price": "2", "vendor": " w "}`)
	made.Title, made.DocumentType, *made.PurchasePrice, *made.Vendor = "New boiler", "warranty", "2.00", "w"
	made.UpdatedAt = changed.UpdatedAt
	require.Equal(t, made, changed)
	require.Equal(t, made, functiontest.Read[Document](t, b.Call(t, "GET", documentPath(made.ID), b.vera.Token, nil), 200))

	cleared := change(`{"description": null, "task_id": null, "contractor_id": null, "vendor": "", "serial_number": null, "model_number": " ",
		"purchase_date": null, "purchase_price": null, "warranty_expires_on": null, "upload_ids": null}`)
	made.DocumentDetails, made.UpdatedAt = DocumentDetails{}, cleared.UpdatedAt
	require.Equal(t, made, cleared)
	require.Equal(t, made, functiontest.Read[Document](t, b.Call(t, "GET", documentPath(made.ID), b.vera.Token, nil), 200))
}

// listed returns which of documents a list holds, by their place, in the list's order.
func (b *bundle) listed(t testing.TB, of []Document, query string, headers ...functiontest.Header) string {
	t.Helper()
	got := ""
	for _, d := range functiontest.Read[page.List[Document]](t, b.Call(t, "GET", documentsPath+"?"+query, b.ann.Token, nil, headers...), 200).Results {
		at := "?"
		for i, one := range of {
			if one.ID == d.ID {
				require.Equal(t, one, d)
				at = fmt.Sprint(i)
			}
		}
		got += at
	}
	return got
}

func TestListDocuments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.ann)
	b.Join(t, second, b.bob, home.Member)
	task, contractor := b.task(t, b.home), b.contractor(t, second)
	made := []Document{
		b.keep(t, "Heater", object{"document_type": "warranty", "vendor": "Marsh & Daughters", "task_id": task}),
		b.keep(t, "Ötzi's manual", object{"residence_id": second, "document_type": "manual", "contractor_id": contractor}),
		b.keep(t, "100% roof", object{"document_type": "warranty", "description": "says a_b", "serial_number": "SN-1"}),
		b.keep(t, "axb", object{"residence_id": second, "model_number": "MARSH 3", "contractor_id": contractor}),
	}
	b.Exec(t, `INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on) VALUES ($1, 'Heater', 'warranty', '2026-11-22')`, b.samsHome)
	for query, want := range map[string]string{
		"":                                     "3210",
		fmt.Sprintf("residence_id=%d", b.home): "20",
		fmt.Sprintf("residence_id=%d", b.samsHome):  "",
		fmt.Sprintf("task_id=%d", task):             "0",
		fmt.Sprintf("contractor_id=%d", contractor): "31",
		"type=warranty": "20",
		"type=permit":   "",
		"search=marsh":  "30",
		"search=" + url.QueryEscape("ÖTZI's manual"): "1",
		"search=sn-1":                      "2",
		"search=" + url.QueryEscape("%"):   "2",
		"search=" + url.QueryEscape("a_b"): "2",
		"search=+":                         "3210",
		"expiring_within_days=3650":        "",
		fmt.Sprintf("type=warranty&search=heat+daughter&residence_id=%d&task_id=%d", b.home, task): "0",
	} {
		require.Equal(t, want, b.listed(t, made, query), query)
	}
	require.JSONEq(t, `{"results": [], "next_cursor": null}`, string(b.Call(t, "GET", documentsPath, b.Person(t, "zoe").Token, nil).Body))

	var paged []int64
	for query := "?limit=1"; ; {
		r := functiontest.Read[page.List[Document]](t, b.Call(t, "GET", documentsPath+query, b.ann.Token, nil), 200)
		require.Len(t, r.Results, 1)
		paged = append(paged, r.Results[0].ID)
		if r.NextCursor == nil {
			break
		}
		query = "?limit=1&cursor=" + *r.NextCursor
	}
	require.Equal(t, []int64{made[3].ID, made[2].ID, made[1].ID, made[0].ID}, paged)

	for _, query := range []string{
		"cursor=x", "limit=0", "residence_id=0", "task_id=x", "contractor_id=-1", "type=hunter2", "expiring_within_days=-1", "expiring_within_days=3651",
		"expiring_within_days=hunter2", "hunter2=1", "search=hunter2%00", "search=" + strings.Repeat("x", 201),
	} {
		r := b.Call(t, "GET", documentsPath+"?"+query, b.ann.Token, nil)
		functiontest.Refused(t, r, 422)
		require.NotContains(t, string(r.Body), "hunter2")
	}
}

// What expires soon goes by the caller's own date: at that noon of 21 November it is the 22nd on Kiritimati, 14 hours ahead.
func TestExpiringDocuments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := []Document{b.keep(t, "x", nil)}
	for _, on := range []string{"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-12-21", "2036-11-18", "2036-11-19"} {
		made = append(made, b.keep(t, "x", object{"warranty_expires_on": on}))
	}
	for _, c := range []struct{ zone, within, want string }{
		{"UTC", "0", "2"},
		{"UTC", "1", "32"},
		{"UTC", "30", "5432"},
		{"UTC", "3650", "65432"},
		{"Pacific/Kiritimati", "0", "3"},
		{"Pacific/Kiritimati", "1", "43"},
		{"Pacific/Kiritimati", "3650", "76543"},
		{"Etc/GMT+12", "0", "2"},
		{"Etc/GMT+12", "2", "432"},
	} {
		zone := functiontest.Header{Name: "X-Timezone", Value: c.zone}
		require.Equal(t, c.want, b.listed(t, made, "expiring_within_days="+c.within, zone), "%s in %s days", c.zone, c.within)
	}
	b.Exec(t, `UPDATE auth_user SET time_zone = 'Pacific/Kiritimati' WHERE id = $1`, b.ann.ID)
	b.Exec(t, `DELETE FROM auth_session WHERE user_id = $1`, b.ann.ID)
	b.ann.Token = b.signIn(t, b.ann.ID)
	require.Equal(t, "3", b.listed(t, made, "expiring_within_days=0"), "in the stored zone")
}

func TestDeleteDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, stays := b.keep(t, "x", nil), b.keep(t, "y", nil)
	require.Equal(t, 204, b.Call(t, "DELETE", documentPath(gone.ID), b.bob.Token, nil).Status)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		var body any
		if method == "PATCH" {
			body = `{}`
		}
		functiontest.Refused(t, b.Call(t, method, documentPath(gone.ID), b.bob.Token, body), 404)
	}
	require.Equal(t, stays, functiontest.Read[Document](t, b.Call(t, "GET", documentPath(stays.ID), b.vera.Token, nil), 200))
	path := documentPath(stays.ID)
	statuses := b.atOnce(t, call{"DELETE", path, b.ann.Token, nil}, call{"DELETE", path, b.bob.Token, nil}, call{"PATCH", path, b.bob.Token, `{"title":"z"}`})
	require.ElementsMatch(t, []int{204, 404}, statuses[:2])
	require.Contains(t, []int{200, 404}, statuses[2])
}

// TestDocumentAccess calls everything as everyone who may not.
func TestDocumentAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	theirs := b.keep(t, "x", nil)
	former := b.Person(t, "fay")
	b.Join(t, b.home, former, home.Member)
	b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, former.ID)
	file := b.upload(t, b.vera, "document_file", pdf, paper())
	before := b.snapshot(t)
	create := func(at int64) object {
		return object{"residence_id": at, "title": "x", "document_type": "other", "upload_ids": []int64{file}}
	}
	for _, c := range []struct {
		method, path string
		body         any
		viewer       int
	}{
		{"POST", documentsPath, create(b.home), 403},
		{"GET", documentPath(theirs.ID), nil, 200},
		{"PATCH", documentPath(theirs.ID), object{"upload_ids": []int64{file}}, 403},
		{"DELETE", documentPath(theirs.ID), nil, 403},
	} {
		for _, token := range []string{"", "hd_unknown"} {
			functiontest.Refused(t, b.Call(t, c.method, c.path, token, c.body), 401)
		}
		nowhere := b.Call(t, c.method, documentPath(999999), b.sam.Token, c.body)
		if c.method == "POST" {
			nowhere = b.Call(t, c.method, c.path, b.sam.Token, create(999999))
		}
		for _, p := range []functiontest.Person{b.sam, former} {
			r := b.Call(t, c.method, c.path, p.Token, c.body)
			functiontest.Refused(t, r, 404)
			require.JSONEq(t, string(nowhere.Body), string(r.Body), "a foreign document looks like none")
		}
		require.Equal(t, c.viewer, b.Call(t, c.method, c.path, b.vera.Token, c.body).Status, c.method)
	}
	functiontest.Refused(t, b.Call(t, "GET", documentsPath, "", nil), 401)
	require.Equal(t, before, b.snapshot(t))
}

func TestBadDocumentChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.bob)
	theirs := b.keep(t, "x", nil)
	elsewhere, foreign := b.task(t, second), b.contractor(t, second)
	before := b.snapshot(t)
	for fields, location := range map[string]string{
		`"title": ""`: "body.title", `"title": " \u2003"`: "body.title", `"title": 1`: "body.title", `"title": null`: "body.title",
		`"title": "` + strings.Repeat("x", 201) + `"`: "body.title", `"document_type": "hunter2"`: "body.document_type", `"document_type": null`: "body.document_type",
		`"description": "` + strings.Repeat("x", 5001) + `"`: "body.description", `"vendor": ["hunter2"]`: "body.vendor",
		fmt.Sprintf(`"task_id": %d`, elsewhere): "body.task_id", `"task_id": 999999`: "body.task_id", `"task_id": 0`: "body.task_id",
		fmt.Sprintf(`"contractor_id": %d`, foreign): "body.contractor_id", `"contractor_id": 999999`: "body.contractor_id",
		`"purchase_date": "hunter2"`: "body.purchase_date", `"purchase_date": "2025-02-30"`: "body.purchase_date", `"warranty_expires_on": "12/31/2030"`: "body.warranty_expires_on",
		`"purchase_price": 129.9`: "body.purchase_price", `"purchase_price": "-1"`: "body.purchase_price", `"purchase_price": "hunter2"`: "body.purchase_price",
		`"purchase_price": "12345678901"`: "body.purchase_price", `"hunter2": 1`: "body", `"files": []`: "body", `"id": 1`: "body",
		`"upload_ids": 1`: "body.upload_ids", `"upload_ids": ["hunter2"]`: "body.upload_ids[0]", `"upload_ids": [1,2,3,4,5,6,7,8,9,10,11]`: "body.upload_ids",
	} {
		create := fmt.Sprintf(`{"residence_id": %d, "title": "x", "document_type": "other", %s}`, b.home, fields)
		switch {
		case strings.HasPrefix(fields, `"title"`):
			create = fmt.Sprintf(`{"residence_id": %d, "document_type": "other", %s}`, b.home, fields)
		case strings.HasPrefix(fields, `"document_type"`):
			create = fmt.Sprintf(`{"residence_id": %d, "title": "x", %s}`, b.home, fields)
		}
		for _, r := range []functiontest.Response{
			b.Call(t, "POST", documentsPath, b.bob.Token, create),
			b.Call(t, "PATCH", documentPath(theirs.ID), b.bob.Token, "{"+fields+"}"),
		} {
			require.Contains(t, locations(t, r), location, "%s: %s", fields, r.Body)
			require.NotContains(t, string(r.Body), "hunter2")
		}
	}
	for _, body := range []string{`{}`, `{"title":"x","document_type":"other"}`, fmt.Sprintf(`{"residence_id":%d,"title":"x"}`, b.home), fmt.Sprintf(`{"residence_id":%d,"document_type":"other"}`, b.home)} {
		functiontest.Refused(t, b.Call(t, "POST", documentsPath, b.bob.Token, body), 422)
	}
	functiontest.Refused(t, b.Call(t, "PATCH", documentPath(theirs.ID), b.bob.Token, `{"residence_id":1}`), 422)
	require.Equal(t, before, b.snapshot(t))
}

package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/problem"
)

const contractorsPath = "/api/contractors/"

func contractorPath(id int64) string { return fmt.Sprint(contractorsPath, id, "/") }

type object map[string]any

// hire adds a contractor to the home as its member, with fields on top of the required ones.
func (b *bundle) hire(t *testing.T, name string, fields object) Contractor {
	t.Helper()
	body := object{"residence_id": b.home, "name": name}
	for key, value := range fields {
		body[key] = value
	}
	return functiontest.Read[Contractor](t, b.Call(t, "POST", contractorsPath, b.member.Token, body), 201)
}

// task adds a task of the home that names a contractor.
func (b *bundle) task(t *testing.T, contractor int64) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `INSERT INTO task_task (residence_id, title, contractor_id) VALUES ($1, 'x', $2) RETURNING id`, b.home, contractor)
}

func TestCreateContractor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := functiontest.Read[map[string]any](t, b.Call(t, "POST", contractorsPath, b.member.Token, fmt.Sprintf(`{"residence_id": %d,
		"name": " Joan Marsh ", "company": " Marsh & Daughters", "phone": "+1 512 555 0134 ", "email": " joan@marsh.example ", "website": " HTTPS://marsh.example/x?y#z",
		"specialty_ids": [14, 9, 14], "notes": " \u2003", "rating": 5, "is_favorite": true}`, b.home)), 201)
	require.Equal(t, map[string]any{
		"id": made["id"], "residence_id": float64(b.home), "name": "Joan Marsh", "company": "Marsh & Daughters", "phone": "+1 512 555 0134",
		"email": "joan@marsh.example", "website": "HTTPS://marsh.example/x?y#z", "specialty_ids": []any{9.0, 14.0}, "notes": nil, "rating": 5.0,
		"is_favorite": true, "created_by_id": float64(b.member.ID), "created_at": made["created_at"], "updated_at": made["created_at"],
	}, made)
	path := contractorPath(int64(made["id"].(float64)))
	for _, p := range []functiontest.Person{b.owner, b.member, b.viewer} {
		require.Equal(t, made, functiontest.Read[map[string]any](t, b.Call(t, "GET", path, p.Token, nil), 200))
	}

	bare := functiontest.Read[map[string]any](t, b.Call(t, "POST", contractorsPath, b.owner.Token, object{"residence_id": b.home, "name": "x"}), 201)
	require.Len(t, bare, len(made))
	require.Equal(t, []any{}, bare["specialty_ids"])
	require.Equal(t, false, bare["is_favorite"])
	for _, field := range []string{"company", "phone", "email", "website", "notes", "rating"} {
		require.Nil(t, bare[field], field)
	}
}

func TestCreateContractorTwiceWithOneKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	body := object{"residence_id": b.home, "name": "Joan", "specialty_ids": []int{14}}
	first := b.Call(t, "POST", contractorsPath, b.member.Token, body, key)
	again := b.Call(t, "POST", contractorsPath, b.member.Token, body, key)
	require.Equal(t, 201, first.Status)
	require.Equal(t, 201, again.Status)
	require.Empty(t, first.Header.Get("Idempotent-Replay"))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	require.JSONEq(t, string(first.Body), string(again.Body))
	functiontest.Refused(t, b.Call(t, "POST", contractorsPath, b.member.Token, object{"residence_id": b.home, "name": "Jo"}, key), 422)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_contractor`))

	// What was refused keeps no key.
	other := functiontest.Header{Name: "Idempotency-Key", Value: "k2"}
	functiontest.Refused(t, b.Call(t, "POST", contractorsPath, b.member.Token, object{"residence_id": b.home, "name": "x", "specialty_ids": []int{99}}, other), 422)
	require.Equal(t, 201, b.Call(t, "POST", contractorsPath, b.member.Token, body, other).Status)

	// The stored answer is not for someone who may not see the home any more.
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.member.ID), b.owner.Token, nil).Status)
	functiontest.Refused(t, b.Call(t, "POST", contractorsPath, b.member.Token, body, key), 404)
}

func TestChangeContractor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.hire(t, "Joan", object{
		"company": "Marsh", "phone": "1", "email": "joan@marsh.example", "website": "http://marsh.example", "notes": "n", "rating": 4,
		"is_favorite": true, "specialty_ids": []int{2, 9, 14},
	})
	change := func(body string) Contractor {
		return functiontest.Read[Contractor](t, b.Call(t, "PATCH", contractorPath(made.ID), b.owner.Token, body), 200)
	}
	same := change(`{}`)
	require.True(t, same.UpdatedAt.After(made.UpdatedAt))
	made.UpdatedAt = same.UpdatedAt
	require.Equal(t, made, same)

	changed := change(`{"name": " Joan Marsh ", "rating": 5, "is_favorite": false, "specialty_ids": [14, 1], "phone": " 2 "}`)
	made.Name, *made.Rating, made.IsFavorite, made.SpecialtyIDs, *made.Phone = "Joan Marsh", 5, false, []int64{1, 14}, "2"
	made.UpdatedAt = changed.UpdatedAt
	require.Equal(t, made, changed)
	require.Equal(t, made, functiontest.Read[Contractor](t, b.Call(t, "GET", contractorPath(made.ID), b.viewer.Token, nil), 200))

	cleared := change(`{"company": null, "phone": null, "email": "", "website": " ", "notes": null, "rating": null, "specialty_ids": null}`)
	require.Equal(t, Contractor{
		ID: made.ID, ResidenceID: b.home, CreatedByID: &b.member.ID, CreatedAt: made.CreatedAt, UpdatedAt: cleared.UpdatedAt,
		ContractorFields: ContractorFields{Name: "Joan Marsh", ContractorDetails: ContractorDetails{SpecialtyIDs: []int64{}}},
	}, cleared)
	require.Equal(t, cleared, functiontest.Read[Contractor](t, b.Call(t, "GET", contractorPath(made.ID), b.viewer.Token, nil), 200))
}

func TestListContractors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.owner)
	b.Join(t, second, b.member, home.Member)
	made := []Contractor{
		b.hire(t, "Joan", object{"company": "Marsh & Daughters", "specialty_ids": []int{9, 14}, "is_favorite": true}),
		b.hire(t, "Ötzi", object{"residence_id": second, "email": "frozen@peak.example", "specialty_ids": []int{14}}),
		b.hire(t, "100% Roofs", object{"notes": "says a_b", "is_favorite": true}),
		b.hire(t, "Back\\slash", object{"notes": "Slippery MARSH road"}),
		b.hire(t, "axb", object{"residence_id": second, "specialty_ids": []int{9}}),
	}
	strangers := b.Home(t, b.stranger)
	b.Exec(t, `INSERT INTO residence_contractor (residence_id, name, is_favorite) VALUES ($1, 'Joan Marsh', true)`, strangers)

	for query, want := range map[string]string{
		"":                                     "01234",
		"residence_id=%d":                      "023",
		"specialty_id=14":                      "01",
		"specialty_id=9":                       "04",
		"specialty_id=999":                     "",
		"favorite=true":                        "02",
		"favorite=false":                       "134",
		"search=marsh":                         "03",
		"search=" + url.QueryEscape(" MARSH "): "03",
		"search=" + url.QueryEscape("ötz"):     "1",
		"search=PEAK":                          "1",
		"search=joan":                          "0",
		"search=" + url.QueryEscape("%"):       "2",
		"search=_":                             "2",
		"search=" + url.QueryEscape(`\`):       "3",
		"search=" + url.QueryEscape("a_b"):     "2",
		"search=+":                             "01234",
		"search=nobody":                        "",
		"residence_id=%d&favorite=true&specialty_id=14&search=daughter": "0",
	} {
		if strings.Contains(query, "residence_id=%d") {
			query = fmt.Sprintf(query, b.home)
		}
		got := ""
		for _, c := range functiontest.Read[page.List[Contractor]](t, b.Call(t, "GET", contractorsPath+"?"+query, b.owner.Token, nil), 200).Results {
			for i, one := range made {
				if one.ID == c.ID {
					require.Equal(t, one, c)
					got += fmt.Sprint(i)
				}
			}
		}
		require.Equal(t, want, got, query)
	}
	none := `{"results": [], "next_cursor": null}`
	require.JSONEq(t, none, string(b.Call(t, "GET", fmt.Sprint(contractorsPath, "?residence_id=", strangers), b.owner.Token, nil).Body))
	require.JSONEq(t, none, string(b.Call(t, "GET", contractorsPath, b.Person(t, "zoe").Token, nil).Body))

	var paged []Contractor
	for query := "?limit=2"; ; {
		r := functiontest.Read[page.List[Contractor]](t, b.Call(t, "GET", contractorsPath+query, b.owner.Token, nil), 200)
		paged = append(paged, r.Results...)
		if r.NextCursor == nil {
			break
		}
		require.Len(t, r.Results, 2)
		query = "?limit=2&cursor=" + *r.NextCursor
	}
	require.Equal(t, made, paged)

	for _, query := range []string{
		"cursor=x", "limit=0", "limit=101", "residence_id=0", "residence_id=x", "specialty_id=-1", "favorite=1", "favorite=True", "hunter2=1",
		"search=%00", "search=hunter2%00", "search=%ff", "search=" + strings.Repeat("x", 201),
	} {
		r := b.Call(t, "GET", contractorsPath+"?"+query, b.owner.Token, nil)
		functiontest.Refused(t, r, 422)
		require.NotContains(t, string(r.Body), "hunter2")
	}
}

func TestDeleteContractor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, stays := b.hire(t, "Joan", object{"specialty_ids": []int{1}}), b.hire(t, "Max", nil)
	first, other := b.task(t, gone.ID), b.task(t, stays.ID)
	kept := b.KeepBoards(t, b.owner, b.member, b.viewer, b.stranger)
	require.Equal(t, 204, b.Call(t, "DELETE", contractorPath(gone.ID), b.member.Token, nil).Status)
	require.False(t, kept(b.owner) || kept(b.member) || kept(b.viewer), "their tasks show a contractor no more")
	require.Eventually(t, func() bool { return kept(b.stranger) }, 20*time.Second, 10*time.Millisecond)
	of := `SELECT contractor_id FROM task_task WHERE id = $1 AND residence_id = $2`
	require.Nil(t, functiontest.Value[*int64](t, b.Server, of, first, b.home))
	require.Equal(t, &stays.ID, functiontest.Value[*int64](t, b.Server, of, other, b.home))
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		var body any
		if method == "PATCH" {
			body = `{}`
		}
		functiontest.Refused(t, b.Call(t, method, contractorPath(gone.ID), b.member.Token, body), 404)
	}
	require.Equal(t, 204, b.Call(t, "DELETE", b.path(), b.owner.Token, nil).Status)
	require.Zero(t, functiontest.Value[int](t, b.Server, `
		SELECT (SELECT count(*) FROM residence_contractor) + (SELECT count(*) FROM residence_contractor_specialty) + (SELECT count(*) FROM task_task)`))
}

// TestContractorAccess calls everything as everyone who may not.
func TestContractorAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	theirs := b.hire(t, "Joan", nil)
	former := b.Person(t, "fay")
	b.Join(t, b.home, former, home.Member)
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", former.ID), former.Token, nil).Status)
	before := b.state(t)
	for _, c := range []struct {
		method, path string
		body         any
		viewer       int
	}{
		{"POST", contractorsPath, object{"residence_id": b.home, "name": "x"}, 403},
		{"GET", contractorPath(theirs.ID), nil, 200},
		{"PATCH", contractorPath(theirs.ID), `{"name":"x"}`, 403},
		{"DELETE", contractorPath(theirs.ID), nil, 403},
	} {
		for _, token := range []string{"", "hd_unknown"} {
			functiontest.Refused(t, b.Call(t, c.method, c.path, token, c.body), 401)
		}
		var nowhere functiontest.Response
		if c.method == "POST" {
			nowhere = b.Call(t, c.method, c.path, b.stranger.Token, object{"residence_id": 999999, "name": "x"})
		} else {
			nowhere = b.Call(t, c.method, contractorPath(999999), b.stranger.Token, c.body)
		}
		for _, p := range []functiontest.Person{b.stranger, former} {
			r := b.Call(t, c.method, c.path, p.Token, c.body)
			functiontest.Refused(t, r, 404)
			require.JSONEq(t, string(nowhere.Body), string(r.Body), "a foreign contractor looks like none")
		}
		require.Equal(t, c.viewer, b.Call(t, c.method, c.path, b.viewer.Token, c.body).Status, c.method)
	}
	functiontest.Refused(t, b.Call(t, "GET", contractorsPath, "", nil), 401)
	require.Equal(t, before, b.state(t))
}

func TestBadContractorChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	theirs := b.hire(t, "Joan", object{"specialty_ids": []int{1}})
	before := b.state(t)
	for fields, location := range map[string]string{
		`"name": ""`: "body.name", `"name": " \u2003"`: "body.name", `"name": 1`: "body.name", `"name": "` + strings.Repeat("x", 201) + `"`: "body.name",
		`"email": "hunter2"`: "body.email", `"email": "Joan <hunter2@example.com>"`: "body.email", `"email": "hunter2@localhost"`: "body.email",
		`"email": "hunter2@example.com, b@example.com"`: "body.email", `"email": "` + strings.Repeat("x", 250) + `@a.bc"`: "body.email",
		`"website": "hunter2"`: "body.website", `"website": "javascript:hunter2"`: "body.website", `"website": "ftp://hunter2.example"`: "body.website",
		`"website": "https://"`: "body.website", `"website": "//hunter2.example"`: "body.website", `"website": "https://joan:hunter2@x.example"`: "body.website",
		`"website": "http:///hunter2"`: "body.website", `"website": "https://` + strings.Repeat("x", 500) + `"`: "body.website",
		`"company": "` + strings.Repeat("x", 201) + `"`: "body.company", `"phone": "` + strings.Repeat("1", 51) + `"`: "body.phone",
		`"notes": "` + strings.Repeat("x", 5001) + `"`: "body.notes", `"notes": ["hunter2"]`: "body.notes",
		`"rating": 0`: "body.rating", `"rating": 6`: "body.rating", `"rating": 1.5`: "body.rating", `"rating": "hunter2"`: "body.rating",
		`"is_favorite": "hunter2"`: "body.is_favorite", `"hunter2": 1`: "body", `"id": 1`: "body", `"NAME": "hunter2"`: "body",
		`"specialty_ids": 14`: "body.specialty_ids", `"specialty_ids": ["hunter2"]`: "body.specialty_ids[0]", `"specialty_ids": [14, 99]`: "body.specialty_ids",
		`"specialty_ids": [0]`: "body.specialty_ids", `"specialty_ids": [` + strings.Repeat("1,", 50) + `1]`: "body.specialty_ids",
	} {
		create := fmt.Sprintf(`{"residence_id": %d, "name": "Joan", %s}`, b.home, fields)
		if strings.HasPrefix(fields, `"name"`) {
			create = fmt.Sprintf(`{"residence_id": %d, %s}`, b.home, fields)
		}
		for _, r := range []functiontest.Response{
			b.Call(t, "POST", contractorsPath, b.member.Token, create),
			b.Call(t, "PATCH", contractorPath(theirs.ID), b.member.Token, "{"+fields+"}"),
		} {
			functiontest.Refused(t, r, 422)
			require.Equal(t, location, functiontest.Read[problem.Problem](t, r, 422).Errors[0].Location, "%s: %s", fields, r.Body)
			require.NotContains(t, string(r.Body), "hunter2")
		}
	}
	for body, status := range map[string]int{
		`{"name":"hunter2"`: 400, `{"name":"hunter2","name":"y"}`: 400, `{"notes":"hunter2\u0000"}`: 400, `[]`: 422, `null`: 422,
		`{"name":null}`: 422, `{"is_favorite":null}`: 422, `{"residence_id":1}`: 422,
	} {
		r := b.Call(t, "PATCH", contractorPath(theirs.ID), b.member.Token, body)
		require.Equal(t, status, r.Status, "%s: %s", body, r.Body)
		require.NotContains(t, string(r.Body), "hunter2")
	}
	for _, body := range []string{`{}`, `{"name":"x"}`, `{"residence_id":1}`, `{"residence_id":0,"name":"x"}`, `{"residence_id":null,"name":"x"}`, `{"residence_id":1,"name":null}`} {
		functiontest.Refused(t, b.Call(t, "POST", contractorsPath, b.member.Token, body), 422)
	}
	for _, id := range []string{"0", "-1", "hunter2", "99999999999999999999"} {
		functiontest.Refused(t, b.Call(t, "GET", contractorsPath+id+"/", b.member.Token, nil), 422)
	}
	functiontest.Refused(t, b.Call(t, "DELETE", contractorPath(theirs.ID)+"typo/", b.member.Token, nil), 404)
	require.Equal(t, before, b.state(t))
}

func TestTwoDeleteOneContractor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		path := contractorPath(b.hire(t, "Joan", object{"specialty_ids": []int{1}}).ID)
		statuses := b.atOnce(t, call{"DELETE", path, b.owner.Token, nil}, call{"DELETE", path, b.member.Token, nil},
			call{"PATCH", path, b.member.Token, `{"specialty_ids":[2,3]}`})
		require.ElementsMatch(t, []int{204, 404}, statuses[:2])
		require.Contains(t, []int{200, 404}, statuses[2])
	}
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT (SELECT count(*) FROM residence_contractor) + (SELECT count(*) FROM residence_contractor_specialty)`))
}

// Of two changes at the same moment none undoes the other's fields, and the later one's specialties stand alone.
func TestTwoChangeOneContractor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		made := b.hire(t, "Joan", object{"specialty_ids": []int{1, 2}})
		path := contractorPath(made.ID)
		statuses := b.atOnce(t, call{"PATCH", path, b.owner.Token, `{"phone":"1","specialty_ids":[2,3]}`},
			call{"PATCH", path, b.member.Token, `{"company":"Marsh","specialty_ids":[4]}`})
		require.Equal(t, []int{200, 200}, statuses)
		got := functiontest.Read[Contractor](t, b.Call(t, "GET", path, b.viewer.Token, nil), 200)
		require.Equal(t, "1", *got.Phone)
		require.Equal(t, "Marsh", *got.Company)
		require.Contains(t, []string{"[2 3]", "[4]"}, fmt.Sprint(got.SpecialtyIDs))
	}
}

// Whoever is removed at the moment of writing has either written as a member or nothing.
func TestContractorAgainstRemoval(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		statuses := b.atOnce(t, call{"POST", contractorsPath, b.member.Token, object{"residence_id": b.home, "name": "x"}}, b.leaving(b.member))
		require.Contains(t, []string{"[201 204]", "[404 204]"}, fmt.Sprint(statuses))
		require.Equal(t, statuses[0] == 201, functiontest.Value[bool](t, b.Server, `SELECT EXISTS (SELECT FROM residence_contractor)`))
		b.Exec(t, `DELETE FROM residence_contractor`)
		b.Join(t, b.home, b.member, home.Member)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/recur"
)

// strict decodes JSON that must not name a field that value lacks.
func strict(t testing.TB, text string, value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(value), text)
}

func TestTemplatesThatAreSeeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows, err := pg.All[templateRow](t.Context(), b.Base.DB, `SELECT `+templateColumns+` FROM task_template t ORDER BY t.id`)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(rows), 70)
	categories := map[int64]int{}
	for _, r := range rows {
		categories[r.CategoryID]++
		require.Equal(t, r.CategoryID, r.ID/100, "the id of %q tells its category", r.Title)
		require.LessOrEqual(t, len(r.Title), 60, r.Title)
		for _, text := range []string{r.Description, r.Why} {
			require.Greater(t, len(text), 20, r.Title)
			require.True(t, strings.HasSuffix(text, "."), r.Title)
			require.Equal(t, strings.Join(strings.Fields(text), " "), text, r.Title)
		}
		require.NotContains(t, strings.TrimSuffix(r.Why, "."), "; ", r.Title)

		kept := functiontest.Value[[2]*string](t, b.Server, `SELECT ARRAY[recurrence::text, applies::text] FROM task_template WHERE id = $1`, r.ID)
		if kept[0] != nil {
			var rule recur.Rule
			strict(t, *kept[0], &rule)
			require.NoError(t, rule.Validate(), r.Title)
			require.Equal(t, rule.WithDefaults(), rule, r.Title)
			// Counted from a completion that came late, the date a year on lies behind the season, which then passes unused.
			require.False(t, rule.Season != nil && rule.Unit == recur.Year && (rule.From == recur.FromCompletion || rule.Missed == recur.Keep), r.Title)
		}
		var conditions []condition
		strict(t, *kept[1], &conditions)
		for _, c := range conditions {
			checkCondition(t, r.Title, c)
		}
	}
	require.Len(t, categories, 13, "every category has some")
}

// checkCondition refuses a condition that does not look at a field of the profile, or not as that field can be looked at.
func checkCondition(t testing.TB, title string, c condition) {
	t.Helper()
	about := profile{}
	_, flag := about.flag(c.Field)
	_, number := about.number(c.Field)
	_, text := about.text(c.Field)
	words := len(c.Any) + len(c.None)
	require.True(t, flag || number || text, "%s: %s", title, c.Field)
	require.Equal(t, flag, c.Is != nil, "%s: %s", title, c.Field)
	require.Equal(t, number, c.From != nil || c.Before != nil, "%s: %s", title, c.Field)
	require.Equal(t, text, words > 0, "%s: %s", title, c.Field)
	require.True(t, c.Field == residenceType || !text || len(c.Any) > 0, "%s: only a kind of home is known by what it is not", title)
	require.Contains(t, []int{1, 2, 3}, c.Weight, title)
	kinds := []string{"house", "apartment", "condo", "townhouse", "duplex", "mobile home", "cabin"}
	for _, word := range append(append([]string{}, c.Any...), c.None...) {
		require.Regexp(t, `^[a-z]+( [a-z]+)*$`, word, title)
		if c.Field == residenceType {
			require.Contains(t, kinds, word, title)
		}
	}
	for _, word := range c.Any {
		require.NotContains(t, c.None, word, title)
	}
}

func (b *bundle) templates(t testing.TB, query string) page.List[Template] {
	t.Helper()
	return functiontest.Read[page.List[Template]](t, b.Call(t, http.MethodGet, "/api/tasks/templates/"+query, b.sam.Token, nil), 200)
}

func templateTitles(list page.List[Template]) []string {
	titles := []string{}
	for _, r := range list.Results {
		titles = append(titles, r.Title)
	}
	return titles
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_template`)
	seen, next := map[int64]bool{}, ""
	for range all {
		list := b.templates(t, "?limit=40&cursor="+next)
		for _, r := range list.Results {
			require.False(t, seen[r.ID])
			seen[r.ID] = true
		}
		if list.NextCursor == nil {
			break
		}
		next = *list.NextCursor
	}
	require.Len(t, seen, all)
	require.Len(t, b.templates(t, "").Results, 50)

	require.Equal(t, []string{"Replace the furnace filter"}, templateTitles(b.templates(t, "?search=FILTER+replace+furnace&category_id=6")))
	require.Contains(t, templateTitles(b.templates(t, "?search=carbon%20monoxide")), "Test the carbon monoxide alarms", "the reason counts as well")
	for _, r := range b.templates(t, "?category_id=10").Results {
		require.EqualValues(t, 10, r.CategoryID)
		require.Equal(t, []string{"For homes with a pool."}, r.AppliesTo)
	}
	for _, none := range []string{"?search=%25", "?search=_", `?search=\`, "?category_id=99", "?search=no+such+thing"} {
		list := b.templates(t, none)
		require.Empty(t, list.Results, none)
		require.NotNil(t, list.Results)
	}
	for _, wrong := range []string{"?limit=0", "?limit=101", "?cursor=x", "?category_id=0", "?search=" + strings.Repeat("a", 201)} {
		functiontest.Refused(t, b.Call(t, http.MethodGet, "/api/tasks/templates/"+wrong, b.sam.Token, nil), 422)
	}
	functiontest.Refused(t, b.Call(t, http.MethodGet, "/api/tasks/templates/", "", nil), 401)
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.Call(t, http.MethodGet, "/api/tasks/templates/1101/", b.sam.Token, nil)
	found := functiontest.Read[Template](t, r, 200)
	require.Equal(t, "Clean the gutters after the leaves have fallen", found.Title)
	require.Equal(t, []string{"For homes of any kind but apartment or condo."}, found.AppliesTo)
	require.Nil(t, found.FrequencyID)
	require.Equal(t, recur.Year, found.Recurrence.Unit)
	require.Equal(t, found, b.templates(t, "?category_id=11").Results[0])
	require.JSONEq(t, `{"frequency_id":1,"recurrence":null,"applies_to":[],"specialty_id":null}`, only(t,
		b.Call(t, http.MethodGet, "/api/tasks/templates/303/", b.sam.Token, nil).Body, "frequency_id", "recurrence", "applies_to", "specialty_id"))

	functiontest.Refused(t, b.Call(t, http.MethodGet, "/api/tasks/templates/99999/", b.sam.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, http.MethodGet, "/api/tasks/templates/x/", b.sam.Token, nil), 422)
	functiontest.Refused(t, b.Call(t, http.MethodGet, "/api/tasks/templates/1101/", "", nil), 401)
}

// only returns those fields of a JSON object.
func only(t testing.TB, body []byte, fields ...string) string {
	t.Helper()
	var all, few map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &all))
	few = map[string]json.RawMessage{}
	for _, field := range fields {
		few[field] = all[field]
	}
	text, err := json.Marshal(few)
	require.NoError(t, err)
	return string(text)
}

func TestTemplatesAreKeptByWhoReadThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/api/tasks/templates/", "/api/tasks/templates/1101/", "/api/tasks/templates/?search=" + url.QueryEscape("pool fence")} {
		first := b.Call(t, http.MethodGet, path, b.ann.Token, nil)
		require.Equal(t, 200, first.Status)
		require.Equal(t, "private, max-age=3600", first.Header.Get("Cache-Control"))
		again := b.Call(t, http.MethodGet, path, b.sam.Token, nil, functiontest.Header{Name: "If-None-Match", Value: first.Header.Get("ETag")})
		require.Equal(t, 304, again.Status, path)
		require.Empty(t, again.Body)
		functiontest.Refused(t, b.Call(t, http.MethodGet, path, "", nil, functiontest.Header{Name: "If-None-Match", Value: "*"}), 401)
	}
}

func TestSentencesOfTemplates(t *testing.T) {
	t.Parallel()
	n := func(n float64) *float64 { return &n }
	for want, c := range map[string]condition{
		"For homes with an attic.":                             {Field: "attic", Is: new(true)},
		"Above all for homes with a fireplace.":                {Field: "fireplace", Is: new(true), Optional: true},
		"For homes without a basement.":                        {Field: "basement", Is: new(false)},
		"For homes whose heating is oil.":                      {Field: "heating", Any: []string{"oil"}},
		"For homes whose water heater is tank or storage.":     {Field: "water_heater", Any: []string{"tank", "storage"}},
		"For homes of the kind apartment or condo.":            {Field: residenceType, Any: []string{"apartment", "condo"}},
		"For homes built before 1987.":                         {Field: yearBuilt, Before: n(1987)},
		"For homes built from 1950 on and before 1990.":        {Field: yearBuilt, From: n(1950), Before: n(1990)},
		"Above all for homes with at least 2 bathrooms.":       {Field: bathrooms, From: n(2), Optional: true},
		"For homes of any kind but apartment, condo or cabin.": {Field: residenceType, None: []string{"apartment", "condo", "cabin"}},
	} {
		require.Equal(t, want, c.sentence(), fmt.Sprint(c))
	}
}

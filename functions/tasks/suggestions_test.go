package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/recur"
)

func suggestionsPath(home int64, more string) string {
	return fmt.Sprintf("/api/tasks/suggestions/?residence_id=%d%s", home, more)
}

// suggested returns everything that is suggested to p for the bundle's home, read in pages.
func (b *bundle) suggested(t testing.TB, p functiontest.Person) []Suggestion {
	t.Helper()
	var all []Suggestion
	more := "&limit=100"
	for {
		list := functiontest.Read[page.List[Suggestion]](t, b.Call(t, http.MethodGet, suggestionsPath(b.home, more), p.Token, nil), 200)
		all = append(all, list.Results...)
		if list.NextCursor == nil {
			return all
		}
		more = "&limit=100&cursor=" + *list.NextCursor
	}
}

// of returns the suggestion of a template, and whether there is one.
func of(all []Suggestion, template int64) (Suggestion, bool) {
	for _, s := range all {
		if s.Template.ID == template {
			return s, true
		}
	}
	return Suggestion{}, false
}

func TestSuggestionsAreForThoseWhoBelong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := b.suggested(t, b.ann)
	require.Equal(t, want, b.suggested(t, b.bob))
	require.Equal(t, want, b.suggested(t, b.vera))
	functiontest.Refused(t, b.Call(t, http.MethodGet, suggestionsPath(b.home, ""), b.sam.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, http.MethodGet, suggestionsPath(999999, ""), b.ann.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, http.MethodGet, suggestionsPath(b.home, ""), "", nil), 401)
	require.Equal(t, []string{"query.residence_id"}, locations(t, b.Call(t, http.MethodGet, "/api/tasks/suggestions/", b.ann.Token, nil)))
	for _, wrong := range []string{"&limit=0", "&limit=101", "&cursor=x"} {
		functiontest.Refused(t, b.Call(t, http.MethodGet, suggestionsPath(b.home, wrong), b.ann.Token, nil), 422)
	}
}

func TestSuggestionsOfAHome(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE residence_residence SET residence_type = 'house', heating = 'Gas furnace', water_heater = 'tankless', roof = 'asphalt shingles',
		year_built = 1962, bathrooms = 2.5, pool = true, septic = false, landscaping = 'no lawn, some trees', country = 'USA' WHERE id = $1`, b.home)
	all := b.suggested(t, b.ann)
	fence, _ := of(all, 1005)
	require.Equal(t, []string{"Your home has a pool.", "Your home is a house."}, fence.Reasons)
	require.Equal(t, "2026-11-24", fence.Task.DueDate.String())
	furnace, _ := of(all, 601)
	require.Equal(t, []string{`Your home's heating is noted as "Gas furnace".`}, furnace.Reasons)
	gutters, _ := of(all, 1101)
	require.Equal(t, []string{"Your home is a house.", "This is the season for it."}, gutters.Reasons)
	require.Equal(t, "2026-11-28", gutters.Task.DueDate.String())
	alarms, _ := of(all, 1201)
	require.Equal(t, FitEveryHome, alarms.Fit)
	chimney, _ := of(all, 613)
	require.Equal(t, FitUnknown, chimney.Fit)
	require.Contains(t, chimney.Reasons, "We do not know yet whether your home has a fireplace.")

	at := map[int64]int{}
	for i, s := range all {
		at[s.Template.ID] = i
	}
	require.Less(t, at[1005], at[613], "what is known of the home comes before what may be")
	for _, contradicted := range []int64{501, 603, 903, 914, 1107, 1307, 710, 412, 413} {
		require.NotContains(t, at, contradicted)
	}
	for _, likely := range []int64{505, 602, 906, 910, 916, 1105, 1212} {
		require.Contains(t, at, likely)
	}
}

func TestSuggestionsOfAFlat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE residence_residence SET residence_type = 'apartment' WHERE id = $1`, b.home)
	const exterior, pool, roof = 4, 10, 11
	for _, s := range b.suggested(t, b.ann) {
		require.NotContains(t, []int64{exterior, pool, roof}, s.Template.CategoryID, s.Template.Title)
	}
	b.Exec(t, `UPDATE residence_residence SET pool = true, landscaping = 'a little lawn' WHERE id = $1`, b.home)
	all := b.suggested(t, b.ann)
	fence, _ := of(all, 1005)
	require.Equal(t, []string{"Your home has a pool."}, fence.Reasons)
	require.Equal(t, FitProfile, fence.Fit)
	_, mown := of(all, 501)
	require.True(t, mown)
	balcony, _ := of(all, 710)
	require.Equal(t, []string{"Your home is an apartment."}, balcony.Reasons)
}

func TestSuggestionsOfAHomeThatNobodyDescribed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.suggested(t, b.ann)
	require.Len(t, all, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_template`), "nothing is contradicted")
	seen := map[int64]bool{}
	for _, s := range all {
		require.False(t, seen[s.Template.ID])
		seen[s.Template.ID] = true
		require.NotEmpty(t, s.Reasons)
		require.NotEqual(t, FitProfile, s.Fit)
		require.GreaterOrEqual(t, s.Task.DueDate, noonDay())
	}
	for _, s := range all[:20] {
		require.Equal(t, FitEveryHome, s.Fit, s.Template.Title)
	}
}

func TestSuggestionsInTheSouth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE residence_residence SET residence_type = 'house', country = 'New Zealand' WHERE id = $1`, b.home)
	gutters, _ := of(b.suggested(t, b.ann), 1101)
	require.Equal(t, []string{"Your home is a house."}, gutters.Reasons)
	require.Equal(t, "2027-05-01", gutters.Task.DueDate.String())
	require.Equal(t, recur.MonthDay{Month: 6, Day: 15}, gutters.Task.Recurrence.Season.To)
	require.Equal(t, recur.MonthDay{Month: 12, Day: 15}, gutters.Template.Recurrence.Season.To)
}

func TestSuggestionsAreOnTheCallersDate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for zone, due := range map[string]string{"Pacific/Kiritimati": "2026-11-25", "Etc/GMT+12": "2026-11-24"} {
		r := b.Call(t, http.MethodGet, suggestionsPath(b.home, ""), b.ann.Token, nil, functiontest.Header{Name: "X-Timezone", Value: zone})
		alarms, _ := of(functiontest.Read[page.List[Suggestion]](t, r, 200).Results, 1201)
		require.Equal(t, due, alarms.Task.DueDate.String(), zone)
	}
}

// TestSuggestionsBecomeTasks takes every template over, which then is suggested no more.
func TestSuggestionsBecomeTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.suggested(t, b.ann)
	for i := 0; i < len(all); i += 50 {
		tasks := []ProposedTask{}
		for _, s := range all[i:min(i+50, len(all))] {
			tasks = append(tasks, s.Task)
		}
		made := functiontest.Read[createdTasks](t, b.Call(t, http.MethodPost, "/api/tasks/bulk/", b.ann.Token, object{"residence_id": b.home, "tasks": tasks}), 201)
		for n, task := range made.Tasks {
			require.Equal(t, tasks[n].Title, task.Title)
			require.Equal(t, tasks[n].TemplateID, *task.TemplateID)
			require.Equal(t, tasks[n].Recurrence, task.Recurrence)
			require.Equal(t, tasks[n].DueDate, *task.NextDueDate)
		}
	}
	require.Empty(t, b.suggested(t, b.ann))
}

func TestWhatIsInUseIsNotSuggested(t *testing.T) {
	t.Parallel()
	b := setup(t)
	suggested := func(template int64) bool {
		_, ok := of(b.suggested(t, b.ann), template)
		return ok
	}
	recurring := b.post(t, object{"template_id": 1201, "due_date": "2026-11-21", "frequency_id": 5}).ID
	require.False(t, suggested(1201))
	b.complete(t, recurring, nil)
	require.False(t, suggested(1201))
	functiontest.Read[task](t, b.Call(t, http.MethodPost, path(recurring, "cancel"), b.ann.Token, nil), 200)
	require.True(t, suggested(1201), "its task is off the board")
	functiontest.Read[task](t, b.Call(t, http.MethodPost, path(recurring, "uncancel"), b.ann.Token, nil), 200)
	require.False(t, suggested(1201))

	once := b.post(t, object{"template_id": 303}).ID
	require.False(t, suggested(303))
	b.complete(t, once, nil)
	functiontest.Read[task](t, b.Call(t, http.MethodPost, path(once, "archive"), b.ann.Token, nil), 200)
	require.False(t, suggested(303), "what is done once stays done")

	single := b.post(t, object{"template_id": 104}).ID
	b.complete(t, single, nil)
	require.True(t, suggested(104), "done without its rhythm, it is due again some day")

	other := b.Home(t, b.ann)
	b.post(t, object{"residence_id": other, "template_id": 105})
	require.True(t, suggested(105), "another home's task counts there")
}

// TestAPageOfSuggestionsBeginsWhereTheLastEnded takes the last one of a page over before reading on.
func TestAPageOfSuggestionsBeginsWhereTheLastEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.suggested(t, b.ann)
	first := functiontest.Read[page.List[Suggestion]](t, b.Call(t, http.MethodGet, suggestionsPath(b.home, "&limit=3"), b.ann.Token, nil), 200)
	require.Equal(t, all[:3], first.Results)
	b.post(t, object{"template_id": all[2].Template.ID})
	b.post(t, object{"template_id": all[4].Template.ID})
	second := functiontest.Read[page.List[Suggestion]](t, b.Call(t, http.MethodGet, suggestionsPath(b.home, "&limit=2&cursor="+*first.NextCursor), b.ann.Token, nil), 200)
	require.Equal(t, []Suggestion{all[3], all[5]}, second.Results)
}

func TestRoundTripsOfTemplates(t *testing.T) {
	t.Parallel()
	server, counter := functiontest.StartCounted(t, name, handlers)
	b := bundle{Server: server}
	b.people(t)
	for _, path := range []string{"/api/tasks/templates/", "/api/tasks/templates/?search=pool", "/api/tasks/templates/1101/", suggestionsPath(b.home, "")} {
		b.Call(t, http.MethodGet, path, b.ann.Token, nil)
		before := counter.Counts().RoundTrips
		require.Equal(t, 200, b.Call(t, http.MethodGet, path, b.ann.Token, nil).Status)
		require.EqualValues(t, 1, counter.Counts().RoundTrips-before, path)
	}
}

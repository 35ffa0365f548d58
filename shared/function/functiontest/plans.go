package functiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
)

// A Reader is someone who reads everything that a function has to show.
type Reader struct {
	Token string

	// Values are what to fill in for a parameter, by its name or, for one place alone, by path and name: "/api/tasks/{id}/ id". What a
	// cursor, a choice or a number with a default can be, the document knows.
	Values map[string]any

	// Counting are the paths of calls that tell how many of something there are, and so may read them all.
	Counting []string
}

// CheckPlans fills a database with what 200,000 people own, makes every GET call of the function's document as the reader that arrange returns,
// with each of its parameters alone and all together, and fails on a statement that reads a big table from end to end, or much more
// of one than it shows. It does so twice: once planned for the values, once for any.
func CheckPlans(t *testing.T, name string, routes func(*function.Base) func(huma.API), arrange func(s *Server) Reader) {
	t.Helper()
	db := devtest.New(t)
	arranged := StartOn(t, db, name, routes)
	arranged.Crowd(t)
	reader := arrange(arranged)
	arranged.Exec(t, `ANALYZE`)
	tables := bigTables(t, arranged)
	explain(t, arranged)
	calls := gets(t, reader)
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		arranged.set(t, "plan_cache_mode", mode)
		taps := listen(t, parsed(t, db.DirectURL("nobody")).Host)
		s := StartThrough(t, db, taps.addr(), name, routes)
		for _, c := range calls {
			c.check(t, s, taps, reader, tables, mode)
		}
	}
}

// bigTables returns the tables of many rows, and fails when one that is no list is not among them.
func bigTables(t *testing.T, s *Server) []string {
	t.Helper()
	rows := Value[map[string]float64](t, s, `
		SELECT json_object_agg(relname, reltuples) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
	var found []string
	for table, n := range rows {
		if n > big {
			found = append(found, table)
		} else {
			require.Contains(t, lists, table, "it has few rows: say in crowd.go what many people have there")
		}
	}
	return found
}

// set gives every new connection to the database a setting.
func (s *Server) set(t *testing.T, name, value string) {
	t.Helper()
	s.Exec(t, fmt.Sprintf(`ALTER DATABASE %q SET %s = '%s'`, s.DB.Name, name, value))
}

// explain has PostgreSQL tell every new connection how each statement was carried out, those behind foreign keys too.
func explain(t *testing.T, s *Server) {
	t.Helper()
	s.set(t, "session_preload_libraries", "auto_explain")
	for name, value := range map[string]string{
		"log_min_duration": "0", "log_format": "json", "log_level": "notice", "log_analyze": "on", "log_timing": "off", "log_nested_statements": "on",
	} {
		s.set(t, "auto_explain."+name, value)
	}
}

// A get is one GET call of a document.
type get struct {
	path, query string
	paged       bool
}

type parameter struct {
	Name, In string
	Required bool
	Schema   struct {
		Type    string
		Enum    []string
		Default any
		Maximum any
	}
}

// gets returns the GET calls of the document in the function's folder: without parameters, with each one alone, and with all.
func gets(t *testing.T, reader Reader) []get {
	t.Helper()
	document, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	var read struct {
		Paths map[string]map[string]struct{ Parameters []parameter }
	}
	require.NoError(t, json.Unmarshal(document, &read))
	var calls []get
	for path, methods := range read.Paths {
		operation, ok := methods["get"]
		if !ok || slices.Contains(reader.Counting, path) {
			continue
		}
		filled, all, required, each := path, url.Values{}, url.Values{}, []url.Values{{}}
		paged := false
		for _, p := range operation.Parameters {
			values := reader.values(t, path, p)
			switch {
			case p.In == "path":
				filled = strings.ReplaceAll(filled, "{"+p.Name+"}", values[0])
			case p.In == "query" && p.Name == "cursor":
				paged = true
			case p.In == "query":
				all.Set(p.Name, values[0])
				if p.Required {
					required.Set(p.Name, values[0])
				}
				for _, v := range values {
					each = append(each, url.Values{p.Name: {v}})
				}
			}
		}
		for _, query := range append(each, all) {
			for name := range required {
				query.Set(name, required.Get(name))
			}
			calls = append(calls, get{filled, query.Encode(), paged})
		}
	}
	slices.SortFunc(calls, func(a, b get) int { return strings.Compare(a.path+a.query, b.path+b.query) })
	require.NotEmpty(t, calls)
	return slices.Compact(calls)
}

// values returns what a parameter can be.
func (r Reader) values(t *testing.T, path string, p parameter) []string {
	t.Helper()
	for _, name := range []string{path + " " + p.Name, p.Name} {
		if v, ok := r.Values[name]; ok {
			return []string{fmt.Sprint(v)}
		}
	}
	switch {
	case p.In == "header" || p.Name == "cursor":
		return nil
	case len(p.Schema.Enum) > 0:
		return p.Schema.Enum
	case p.Schema.Type == "boolean":
		return []string{"true", "false"}
	}
	require.NotNil(t, p.Schema.Maximum, "say what %s of GET %s can be", p.Name, path)
	return []string{fmt.Sprint(p.Schema.Maximum)}
}

// check makes a call, and one for the second page where there are pages, and looks at what they did.
func (g get) check(t *testing.T, s *Server, taps *tap, reader Reader, tables []string, mode string) {
	t.Helper()
	queries := []string{g.query}
	if g.paged {
		small, err := url.ParseQuery(g.query)
		require.NoError(t, err)
		small.Set("limit", "1")
		first := Read[struct {
			NextCursor *string `json:"next_cursor"`
		}](t, s.Call(t, "GET", g.path+"?"+small.Encode(), reader.Token, nil), 200)
		if first.NextCursor != nil {
			small.Set("limit", "20")
			small.Set("cursor", *first.NextCursor)
			queries = append(queries, small.Encode())
		}
	}
	for _, query := range queries {
		forget(t, s)
		taps.taken(t)
		call := g.path + "?" + query
		r := s.Call(t, "GET", call, reader.Token, nil)
		require.Equal(t, 200, r.Status, "%s: %s", call, r.Body)
		plans := taps.taken(t)
		require.NotEmpty(t, plans, "%s asked nothing", call)
		for _, p := range plans {
			require.Empty(t, p.faults(tables), "GET %s, %s:\n%s\n%s", call, mode, p.Query, p.Text)
		}
	}
}

// forget empties the cache, so that a call asks the database.
func forget(t *testing.T, s *Server) {
	t.Helper()
	options, err := redis.ParseURL(s.DB.RedisURL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	require.NoError(t, client.FlushDB(context.WithoutCancel(t.Context())).Err())
}

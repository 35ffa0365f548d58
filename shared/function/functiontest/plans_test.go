package functiontest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan string
		want []string
	}{
		"by index":              {`{"Node Type": "Index Scan", "Relation Name": "tasks", "Index Name": "i", "Index Cond": "(id = 1)"}`, nil},
		"of a list":             {`{"Node Type": "Seq Scan", "Relation Name": "categories"}`, nil},
		"end to end":            {`{"Node Type": "Seq Scan", "Relation Name": "tasks"}`, []string{"reads all of tasks"}},
		"end to end, by index":  {`{"Node Type": "Index Only Scan", "Relation Name": "tasks", "Index Name": "i"}`, []string{"reads all of tasks by way of i"}},
		"below":                 {`{"Node Type": "Sort", "Plans": [{"Node Type": "Limit"}, {"Node Type": "Seq Scan", "Relation Name": "tasks"}]}`, []string{"reads all of tasks"}},
		"some of one's own":     {`{"Node Type": "Index Scan", "Index Cond": "x", "Actual Loops": 1000, "Rows Removed by Filter": 3}`, nil},
		"what others have":      {`{"Node Type": "Index Scan", "Index Cond": "x", "Actual Loops": 1, "Rows Removed by Filter": 199000}`, []string{"Index Scan reads 199000 rows in vain"}},
		"what others have, too": {`{"Node Type": "Index Scan", "Index Cond": "x", "Actual Loops": 1000, "Rows Removed by Filter": 200}`, []string{"Index Scan reads 200000 rows in vain"}},
		"of what others have":   {`{"Node Type": "Index Scan", "Relation Name": "tasks", "Index Cond": "x", "Actual Loops": 1, "Actual Rows": 199000}`, []string{"Index Scan reads 199000 rows of tasks"}},
		"in many small reads":   {`{"Node Type": "Index Scan", "Relation Name": "tasks", "Index Cond": "x", "Actual Loops": 20000, "Actual Rows": 0}`, []string{"Index Scan reads 20000 rows of tasks"}},
		"as many of a list":     {`{"Node Type": "Index Scan", "Relation Name": "categories", "Index Cond": "x", "Actual Loops": 20000, "Actual Rows": 1}`, nil},
		"for a bitmap": {`{"Node Type": "Bitmap Heap Scan", "Relation Name": "tasks", "Actual Loops": 1, "Actual Rows": 3, "Plans": [
			{"Node Type": "BitmapAnd", "Actual Loops": 1, "Plans": [{"Node Type": "Bitmap Index Scan", "Index Name": "i", "Index Cond": "x", "Actual Loops": 1, "Actual Rows": 30000}]}]}`,
			[]string{"Bitmap Index Scan reads 30000 rows of tasks"}},
	} {
		var p plan
		require.NoError(t, json.Unmarshal([]byte(`{"Plan": `+c.plan+`}`), &p), name)
		require.Equal(t, c.want, p.faults([]string{"tasks"}), name)
	}
}

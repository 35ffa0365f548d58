package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/patch"
)

func TestField(t *testing.T) {
	t.Parallel()
	var body struct {
		Out, Null, Set patch.Field[int]
		Name           *string
	}
	require.NoError(t, json.Unmarshal([]byte(`{"Null":null,"Set":7}`), &body))
	seven := 7
	out, null, set := &seven, &seven, (*int)(nil)
	body.Out.Apply(&out)
	body.Null.Apply(&null)
	body.Set.Apply(&set)
	require.Equal(t, &seven, out)
	require.Nil(t, null)
	require.Equal(t, 7, *set)
	name := "kept"
	patch.Apply(body.Name, &name)
	require.Equal(t, "kept", name)
	other := "other"
	patch.Apply(&other, &name)
	require.Equal(t, "other", name)
}

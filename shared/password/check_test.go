package password

import (
	"bufio"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/problem"
)

func TestCommonPasswords(t *testing.T) {
	t.Parallel()
	var lines []string
	scanner := bufio.NewScanner(strings.NewReader(common))
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	require.Greater(t, len(lines), 9900)
	require.True(t, sort.StringsAreSorted(lines))
	for _, line := range []string{lines[0], lines[len(lines)-1], lines[5000], "password1", "QWERTYUIOP", "iloveyou"} {
		require.True(t, isCommon(line), line)
	}
	for _, p := range []string{"", "word1\npass", uncommon, "assword1", "password1\n"} {
		require.False(t, isCommon(p), p)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, Check("body.password", uncommon, "ann.meyer@example.com"))
	for _, bad := range []string{"PassWord1", "Ann.Meyer@Example.com", "ann.MEYER"} {
		err := Check("body.password", bad, "ann.meyer@example.com")
		var refused *problem.Problem
		require.ErrorAs(t, err, &refused, bad)
		require.Equal(t, 422, refused.Status)
		require.Equal(t, "body.password", refused.Errors[0].Location)
		require.NotContains(t, refused.Errors[0].Message, bad)
	}
}

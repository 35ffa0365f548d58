package timing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAgeByTheKernel(t *testing.T) {
	t.Parallel()
	const before, after = " S 1 7 7 0 -1 4194304 9 0 0 0 1 2 0 0 20 0 4 0 ", " 1000 20 18446744073709551615"
	age, err := ageBy([]byte("42 (a) b (c)"+before+"12000"+after+"\n"), []byte("121.50 300.00\n"))
	require.NoError(t, err)
	require.Equal(t, 1500*time.Millisecond, age)
	for _, stat := range []string{"", "42 (a) S 1", "42 (a)" + before + "x" + after} {
		_, err := ageBy([]byte(stat), []byte("121.50 300.00\n"))
		require.Error(t, err, stat)
	}
	for _, uptime := range []string{"", "x 1"} {
		_, err := ageBy([]byte("42 (a)"+before+"12000"+after), []byte(uptime))
		require.Error(t, err, uptime)
	}
}

func TestBornBeforeItWasLoaded(t *testing.T) {
	t.Parallel()
	began := born()
	require.False(t, began.After(loaded))
	require.WithinDuration(t, loaded, began, time.Minute)
}

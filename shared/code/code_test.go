package code_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
)

func TestDerive(t *testing.T) {
	t.Parallel()
	var key, other code.Key
	require.NoError(t, key.Decode("an example key of 32 bytes or so"))
	require.NoError(t, other.Decode("another example key of 32 bytes."))
	require.Error(t, new(code.Key).Decode("short"))
	nonce := []byte("nonce")
	digits := key.Derive("verify_email", 1, 2, nonce)
	require.Regexp(t, `^[0-9]{6}$`, digits)
	require.Equal(t, digits, key.Derive("verify_email", 1, 2, nonce))
	for name, different := range map[string]string{
		"key":     other.Derive("verify_email", 1, 2, nonce),
		"purpose": key.Derive("reset_password", 1, 2, nonce),
		"user":    key.Derive("verify_email", 3, 2, nonce),
		"id":      key.Derive("verify_email", 1, 3, nonce),
		"nonce":   key.Derive("verify_email", 1, 2, []byte("other")),
	} {
		require.NotEqual(t, digits, different, name)
	}
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	key, other := code.Key(strings.Repeat("k", 32)), code.Key(strings.Repeat("o", 32))
	token := key.Unsubscribe(7, "task_assigned")
	user, typ, ok := key.ReadUnsubscribe(token)
	require.True(t, ok)
	require.EqualValues(t, 7, user)
	require.Equal(t, "task_assigned", typ)
	for _, forged := range []string{
		"", "7.task_assigned", "7.task_assigned.", other.Unsubscribe(7, "task_assigned"),
		strings.Replace(token, "7.", "8.", 1), strings.Replace(token, "assigned", "overdue", 1), "0" + token, token + "A", token + ".x",
	} {
		_, _, ok := key.ReadUnsubscribe(forged)
		require.False(t, ok, forged)
	}
}

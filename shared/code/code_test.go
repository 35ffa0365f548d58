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

// A new key takes over while mails are on their way: what any key in the list has signed counts, as long as it is to.
func TestKeys(t *testing.T) {
	t.Parallel()
	old, next := strings.Repeat("o", 32), strings.Repeat("n", 32)
	read := func(text string) (k code.Keys) {
		require.NoError(t, k.Decode(text))
		return k
	}
	nonce := []byte("nonce")
	former, beside, taken, links, without := read(old), read(old+","+next), read(next+", "+old), read(next+",links:"+old), read(next)
	oldDigits, newDigits := former.Derive("verify_email", 1, 2, nonce), without.Derive("verify_email", 1, 2, nonce)
	require.Equal(t, code.Key(old).Derive("verify_email", 1, 2, nonce), oldDigits)
	require.NotEqual(t, oldDigits, newDigits)
	oldLink, newLink := former.Unsubscribe(7, "task_overdue"), without.Unsubscribe(7, "task_overdue")
	for name, c := range map[string]struct {
		keys                                   code.Keys
		signsNew                               bool
		oldCodes, newCodes, oldLinks, newLinks bool
	}{
		"before":                 {former, false, true, false, true, false},
		"the new one is known":   {beside, false, true, true, true, true},
		"the new one signs":      {taken, true, true, true, true, true},
		"codes of old ones end":  {links, true, false, true, true, true},
		"the old one is dropped": {without, true, false, true, false, true},
	} {
		require.Equal(t, c.signsNew, c.keys.Derive("verify_email", 1, 2, nonce) == newDigits, name)
		require.Equal(t, c.signsNew, c.keys.Unsubscribe(7, "task_overdue") == newLink, name)
		require.Equal(t, c.oldCodes, c.keys.Derived(oldDigits, "verify_email", 1, 2, nonce), name)
		require.Equal(t, c.newCodes, c.keys.Derived(newDigits, "verify_email", 1, 2, nonce), name)
		require.False(t, c.keys.Derived("", "verify_email", 1, 2, nonce), name)
		for link, counts := range map[string]bool{oldLink: c.oldLinks, newLink: c.newLinks} {
			user, typ, ok := c.keys.ReadUnsubscribe(link)
			require.Equal(t, counts, ok, name)
			if ok {
				require.EqualValues(t, 7, user)
				require.Equal(t, "task_overdue", typ)
			}
		}
	}
	for said, text := range map[string]string{
		"key 1 of those that commas part: shorter than 32 bytes": "",
		"key 2 of those that commas part: shorter":               old + ",",
		"key 3 of those that commas part: shorter":               old + "," + next + ",links:short",
		"key 2 of those that commas part stands twice":           old + ",links:" + old,
		"the first key is the one in use":                        "links:" + old,
	} {
		var k code.Keys
		err := k.Decode(text)
		require.ErrorContains(t, err, said)
		require.NotContains(t, err.Error(), "ooo")
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

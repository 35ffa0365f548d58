package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func TestSecretsOf(t *testing.T) {
	t.Parallel()
	made, err := secretsOf("# for tests\n\nb/URL=redis://h/0?x=y\n a/KEY = spaced \nb/OTHER=1\r\n", "ns")
	require.NoError(t, err)
	require.Len(t, made, 2)
	require.Equal(t, "a", made[0].GetName())
	require.Equal(t, "ns", made[0].GetNamespace())
	require.NotContains(t, made[0].Object, "stringData")
	var secret corev1.Secret
	require.NoError(t, into(made[0], &secret))
	require.Equal(t, map[string][]byte{"KEY": []byte("spaced")}, secret.Data)
	secret = corev1.Secret{}
	require.NoError(t, into(made[1], &secret))
	require.Equal(t, map[string][]byte{"URL": []byte("redis://h/0?x=y"), "OTHER": []byte("1")}, secret.Data)
}

// What a rotation chose stays, and of an address that is the login: a database that was restored elsewhere is found by the file.
func TestWhatRotationsChoseIsKept(t *testing.T) {
	t.Parallel()
	made := func(line string) *object {
		all, err := secretsOf("honeydue-tasks/"+line, "ns")
		require.NoError(t, err)
		return all[0]
	}
	const moved = "DATABASE_URL=postgres://honeydue_tasks:old@new-host:6432/honeydue?sslmode=verify-full&sslrootcert=system" //nolint:gosec // nobody's
	for name, c := range map[string]struct{ file, live, what, want string }{
		"another key":                 {"CODE_KEY=file", "CODE_KEY=cluster", "CODE_KEY", "CODE_KEY=cluster"},
		"the same":                    {"CODE_KEY=same", "CODE_KEY=same", "", "CODE_KEY=same"},
		"a key that the file has not": {"OTHER=x", "CODE_KEY=cluster", "", "OTHER=x"},
		"another host": {
			moved, "DATABASE_URL=postgres://honeydue_tasks_b:new@old-host/honeydue", "the login in DATABASE_URL",
			"DATABASE_URL=postgres://honeydue_tasks_b:new@new-host:6432/honeydue?sslmode=verify-full&sslrootcert=system",
		},
		"another host, and the same login": {moved, "DATABASE_URL=postgres://honeydue_tasks:old@old-host/honeydue", "", moved},
	} {
		o, live := made(c.file), made(c.live)
		key, _, _ := strings.Cut(c.live, "=")
		what, err := keep(o, live, key)
		require.NoError(t, err, name)
		require.Equal(t, c.what, what, name)
		require.Equal(t, made(c.want), o, name)
	}
	_, err := keep(made("DATABASE_URL=nonsense"), made(moved), addressKey)
	require.EqualError(t, err, "it is not an address with a login")
}

func TestSecretsThatAreNotFilledIn(t *testing.T) {
	t.Parallel()
	_, err := secretsOf("a/KEY=\nhidden-value\na/X=1\na/X=hidden-too\n/Y=2", "ns")
	require.EqualError(t, err, "line 1: a/KEY has no value\nline 2: is not of the form SECRET/KEY=value\n"+
		"line 4: a/X stands twice\nline 5: is not of the form SECRET/KEY=value")
	_, err = secretsOf("# nothing\n", "ns")
	require.EqualError(t, err, "names no Secret")
}

package main

import (
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

func TestSecretsThatAreNotFilledIn(t *testing.T) {
	t.Parallel()
	_, err := secretsOf("a/KEY=\nhidden-value\na/X=1\na/X=hidden-too\n/Y=2", "ns")
	require.EqualError(t, err, "line 1: a/KEY has no value\nline 2: is not of the form SECRET/KEY=value\n"+
		"line 4: a/X stands twice\nline 5: is not of the form SECRET/KEY=value")
	_, err = secretsOf("# nothing\n", "ns")
	require.EqualError(t, err, "names no Secret")
}

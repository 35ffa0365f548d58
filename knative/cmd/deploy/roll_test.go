package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What kn is asked for, as `kn service apply --help` documents it.
func TestKnGetsTheSameDocument(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	kn := filepath.Join(folder, "kn")
	require.NoError(t, os.WriteFile(kn, []byte(`#!/bin/sh
cd "$(dirname "$0")" || exit 1
for argument; do echo "$argument"; done >arguments
cp "$5" document
`), 0o700))
	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, &settings{}))
	r := &rollout{kn: kn, out: t.Output()}
	require.NoError(t, r.send(t.Context(), f))

	arguments, err := os.ReadFile(filepath.Join(folder, "arguments"))
	require.NoError(t, err)
	require.Regexp(t, `^service\napply\ntasks\n--filename\n/.*\.yaml\n--namespace\nhoneydue\n--no-lock-to-digest\n--no-wait\n$`, string(arguments))
	document, err := os.ReadFile(filepath.Join(folder, "document"))
	require.NoError(t, err)
	require.Equal(t, []*object{f}, documents(t, string(document)))
}

func TestCommandSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	_, err := command(t.Context(), quick, nil, "sh", "-c", "echo no such thing >&2; exit 3")
	require.EqualError(t, err, "sh -c: exit status 3: no such thing")
	_, err = command(t.Context(), 1, nil, "sleep", "60")
	require.ErrorContains(t, err, "sleep 60: no end after 1ns")
	_, err = command(t.Context(), quick, nil, "bin/no-such-program", "resolve")
	require.ErrorContains(t, err, "it is not installed, or this is not the root of the workspace")
}

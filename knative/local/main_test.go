package local

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
)

const echoPackage = "github.com/honeydue/backend/knative/local/testdata/echo"

// programs is where the tests' function is built, once.
const programs = "HONEYDUE_TEST_PROGRAMS"

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "honeydue-local")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Setenv(programs, dir); err != nil {
		return 0, err
	}
	log := slog.New(slog.DiscardHandler)
	if err := build(context.Background(), ".", dir, nil, []string{echoPackage}, log); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

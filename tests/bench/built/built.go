// Package built builds functions as their images have them.
package built

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Functions builds those of these names, stripped, into dir.
func Functions(ctx context.Context, dir string, names ...string) error {
	return build(ctx, dir, names)
}

// Profiled builds them so that they tell their profiles.
func Profiled(ctx context.Context, dir string, names ...string) error {
	return build(ctx, dir, names, "-tags=profile")
}

func build(ctx context.Context, dir string, names []string, flags ...string) error {
	root, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return fmt.Errorf("go env GOWORK: %w", err)
	}
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", dir + string(filepath.Separator)}, flags...)
	for _, name := range names {
		args = append(args, "github.com/honeydue/backend/functions/"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr, cmd.Env = filepath.Dir(strings.TrimSpace(string(root))), os.Stderr, append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build functions: %w", err)
	}
	return nil
}

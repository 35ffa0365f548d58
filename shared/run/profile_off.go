//go:build !profile

package run

import (
	"context"
	"log/slog"
)

// profile does nothing: what runs in production tells no profiles.
func profile(context.Context, *slog.Logger, *Background) error { return nil }

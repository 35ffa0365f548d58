package local

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/honeydue/backend/shared/devserver/push"
)

// connectPushes opens what stands for APNs and FCM. Keys are made anew for each run.
func (s *System) connectPushes(log *slog.Logger) error {
	keys, err := push.NewCredentials()
	if err != nil {
		return fmt.Errorf("open push services: %w", err)
	}
	pushes := push.New(keys, log)
	if err := pushes.Start(); err != nil {
		return fmt.Errorf("open push services: %w", err)
	}
	s.pushes = pushes
	s.closers = append(s.closers, func(context.Context) error { pushes.Stop(); return nil })
	return nil
}

// Pushes is where all pushes end up.
func (s *System) Pushes() *push.Double { return s.pushes }

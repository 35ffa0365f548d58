//go:build profile

package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
)

// Of how much waiting the profiles have a sample: of each microsecond before a lock or channel, and of one contention in five.
const (
	blockRate     = 1_000 // ns
	mutexFraction = 5
)

// profile serves what net/http/pprof tells, on a socket in the folder of temporary files that is named after the process, until ctx
// ends. Only programs that were built to be measured do: those with the tag profile.
func profile(ctx context.Context, log *slog.Logger, background *Background) error {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("honeydue-profile-%d.sock", os.Getpid()))
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove another process's socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("listen for questions about profiles: %w", err)
	}
	runtime.SetBlockProfileRate(blockRate)
	runtime.SetMutexProfileFraction(mutexFraction)
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout}
	background.Go(func(context.Context) {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.WarnContext(ctx, "profiles are not to be had any more", "error", err)
		}
	})
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return nil
}

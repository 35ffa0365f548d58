package local

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/honeydue/backend/shared/devserver"
)

// installMissing puts the servers' Debian packages on this machine when some are missing and we may.
func installMissing(ctx context.Context, log *slog.Logger) error {
	var packages []string
	for _, missing := range devserver.Missing() {
		packages = append(packages, missing.Package)
	}
	if len(packages) == 0 {
		return nil
	}
	slices.Sort(packages)
	return installer{apt: "apt-get", sudo: "sudo", root: os.Geteuid() == 0, log: log}.install(ctx, slices.Compact(packages))
}

type installer struct {
	apt, sudo string // programs
	root      bool   // we are
	log       *slog.Logger
}

// install says what to do by hand where it may not do it.
func (i installer) install(ctx context.Context, packages []string) error {
	arguments := append([]string{"install", "--yes", "--no-install-recommends"}, packages...)
	byHand := "apt-get " + strings.Join(arguments, " ")
	if _, err := exec.LookPath(i.apt); err != nil {
		return fmt.Errorf("these packages are missing, install them (Debian: %s)", byHand)
	}
	var prefix []string
	if !i.root {
		if err := exec.CommandContext(ctx, i.sudo, "--non-interactive", "true").Run(); err != nil {
			return fmt.Errorf("these packages are missing, and we are not root: sudo %s", byHand)
		}
		prefix = []string{i.sudo, "--non-interactive"}
	}
	// Offline, systemd does not start what was installed: we run servers of our own.
	prefix = append(prefix, "env", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_OFFLINE=1", i.apt, "-o", "DPkg::Lock::Timeout=120")
	i.log.InfoContext(ctx, "installing", "packages", packages)
	for _, words := range [][]string{{"update"}, arguments} {
		words = slices.Concat(prefix, words)
		s := step{name: "installing", program: words[0], args: words[1:], whole: true}
		if err := runStep(ctx, s, i.log); err != nil {
			return fmt.Errorf("install packages: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("install packages: %w", err)
		}
	}
	return nil
}

package firewall

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Ranges is where the edge's networks stand, below the project's root; the other places follow it.
const Ranges = "k3s/firewall/cloudflare.txt"

// A place is a file that names the edge's networks.
type place struct {
	path    string
	pattern *regexp.Regexp // with what stands before and after them
	join    string
}

// places are all of them: the firewall, Traefik's public entry point and the functions believe the same.
var places = []place{
	{"knative/overlays/production/honeydue.env", regexp.MustCompile(`(?m)^(TRUSTED_PROXIES=127\.0\.0\.1/32,10\.42\.0\.0/16,10\.0\.0\.0/16,)[0-9./,]+()$`), ","},
	{"k3s/traefik/config.yaml", regexp.MustCompile(`(?m)^(\s+trustedIPs: \[)[0-9./, ]+(\] # the edge)$`), ", "},
}

// Write puts the networks into every place that names them, below the project's root, or, if one does not look as it must, into none.
func Write(root string, edge []netip.Prefix) error {
	contents, err := render(root, edge)
	if err != nil {
		return err
	}
	for path, content := range contents {
		if err := os.WriteFile(filepath.Join(root, path), []byte(content), 0o644); err != nil { //nolint:gosec // they are in the repository
			return fmt.Errorf("write networks: %w", err)
		}
	}
	return nil
}

// Check returns an error that names each place that does not have the networks.
func Check(root string, edge []netip.Prefix) error {
	contents, err := render(root, edge)
	if err != nil {
		return err
	}
	var wrong []error
	for path, content := range contents {
		found, err := os.ReadFile(filepath.Join(root, filepath.Clean(path))) //nolint:gosec // one of places
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("read networks: %w", err))
		case string(found) != content:
			wrong = append(wrong, fmt.Errorf("%s has other networks than %s: run go run ./k3s/cmd/firewall refresh", path, Ranges))
		}
	}
	return errors.Join(wrong...)
}

// render returns each file as it must be.
func render(root string, edge []netip.Prefix) (map[string]string, error) {
	contents := map[string]string{Ranges: "# Networks of the edge: https://www.cloudflare.com/ips-v4\n" + list(edge, "\n") + "\n"}
	for _, p := range places {
		content, err := os.ReadFile(filepath.Join(root, filepath.Clean(p.path))) //nolint:gosec // one of places
		if err != nil {
			return nil, fmt.Errorf("read networks: %w", err)
		}
		if n := len(p.pattern.FindAllIndex(content, -1)); n != 1 {
			return nil, fmt.Errorf("%s names the edge's networks %d times, not once, in the form %s", p.path, n, p.pattern)
		}
		contents[p.path] = string(p.pattern.ReplaceAll(content, []byte("${1}"+list(edge, p.join)+"${2}")))
	}
	return contents, nil
}

func list(networks []netip.Prefix, join string) string {
	all := make([]string, 0, len(networks))
	for _, network := range networks {
		all = append(all, network.String())
	}
	return strings.Join(all, join)
}

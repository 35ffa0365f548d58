// Package observability holds alert rules and dashboards against Prometheus's own tools, and against what the system tells.
package observability

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// An Alert is a rule of k3s/observability/rules.
type Alert struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

// Files are those of the rules in the checkout at root.
func Files(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, "k3s/observability/rules/*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("find rules: %w", err)
	}
	return slices.DeleteFunc(found, func(path string) bool { return strings.HasSuffix(path, "_test.yaml") }), nil
}

// Alerts are all rules.
func Alerts(root string) (all []Alert, err error) {
	files, err := Files(root)
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		content, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		var file struct{ Groups []struct{ Rules []Alert } }
		if err := yaml.Unmarshal(content, &file); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		for _, group := range file.Groups {
			all = append(all, group.Rules...)
		}
	}
	return all, nil
}

// A Dashboard is a file of k3s/observability/dashboards, as far as it is ours to look at.
type Dashboard struct {
	UID    string
	Title  string
	Panels []Panel
}

// A Panel shows what its targets find.
type Panel struct {
	Title      string
	Type       string
	GridPos    struct{ X, Y, W, H int }
	Datasource struct{ UID string }
	Targets    []struct{ Expr, RefID string }
}

// Dashboards are all of them.
func Dashboards(root string) (all []Dashboard, err error) {
	found, err := filepath.Glob(filepath.Join(root, "k3s/observability/dashboards/*.json"))
	if err != nil {
		return nil, fmt.Errorf("find dashboards: %w", err)
	}
	for _, path := range found {
		content, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			return nil, fmt.Errorf("read dashboard: %w", err)
		}
		var d Dashboard
		if err := json.Unmarshal(content, &d); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, d)
	}
	return all, nil
}

// Exprs are the expressions of all rules and panels.
func Exprs(root string) (all []string, err error) {
	alerts, err := Alerts(root)
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		all = append(all, a.Expr)
	}
	dashboards, err := Dashboards(root)
	if err != nil {
		return nil, err
	}
	for _, d := range dashboards {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				all = append(all, target.Expr)
			}
		}
	}
	return all, nil
}

var (
	notNames = regexp.MustCompile(`\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|group_left|group_right|ignoring) *\([^)]*\)|"[^"]*"`)
	name     = regexp.MustCompile(`\b[a-z_][a-z0-9_]*\b`)
	words    = []string{
		"absent", "absent_over_time", "and", "by", "histogram_quantile", "increase", "last_over_time", "max", "min", "offset", "or", "sum", "time", "topk", "vector",
	}
)

// Metrics are the names of metrics in an expression: what is left of it without selectors, ranges, groupings, and the words of PromQL
// that are used here.
func Metrics(expr string) (all []string) {
	for _, word := range name.FindAllString(notNames.ReplaceAllString(expr, " "), -1) {
		if !slices.Contains(words, word) && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

// Package book holds the book in docs/ against what it speaks of: files, targets, variables, tests and commands.
package book

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// A page is one file of the project's words.
type page struct{ path, text string }

// read returns a file below the root.
func read(t *testing.T, path string) page {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return page{path, string(content)}
}

// pages are the book, the README and the map.
func pages(t *testing.T) []page {
	t.Helper()
	paths, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	all := []page{read(t, "README.md"), read(t, "ARCHITECTURE.md")}
	for _, path := range paths {
		all = append(all, read(t, "docs/"+filepath.Base(path)))
	}
	return all
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)\n```$")

// prose is the page without its blocks, lines that are indented as code among them.
func (p page) prose() string {
	text := fence.ReplaceAllString(p.text, "")
	return regexp.MustCompile(`(?m)^ {4}.*$`).ReplaceAllString(text, "")
}

// blocks are those of a kind.
func (p page) blocks(kind string) (all []string) {
	for _, found := range fence.FindAllStringSubmatch(p.text, -1) {
		if found[1] == kind {
			all = append(all, found[2])
		}
	}
	return all
}

// words are what stands between backticks in the prose.
func (p page) words() (all []string) {
	for _, found := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(p.prose(), -1) {
		all = append(all, found[1])
	}
	return all
}

// anchors are what a link may point at: headings, as GitHub names them.
func (p page) anchors() map[string]bool {
	all := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(p.prose(), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
				return r
			}
			return -1
		}, strings.ToLower(found[1]))
		all[name] = true
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, p := range pages(t) {
		for _, found := range links.FindAllStringSubmatch(p.prose(), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := p
			if target != "" {
				path := filepath.Join(filepath.Dir(p.path), target)
				_, err := os.Stat(filepath.Join(root, path))
				require.NoError(t, err, "%s links to %s", p.path, found[1])
				if anchor == "" {
					continue
				}
				to = read(t, path)
			}
			require.True(t, to.anchors()[anchor], "%s links to %s, and there is no such heading", p.path, found[1])
		}
	}
}

// ours are the folders that a path of the project begins with.
var ours = regexp.MustCompile(`^(\.ci|docs|events|functions|k3s|knative|shared|tests|tools)/[-A-Za-z0-9_./*]*$`)

// git prints lines about the checkout.
func git(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", root}, args...)...).Output()
	require.NoError(t, err)
	require.NotEmpty(t, out)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// A path is of the project, or of what an operator writes and a command leaves, and so in .gitignore. Whether the latter is
// there depends on what ran before.
func TestPathsExist(t *testing.T) {
	t.Parallel()
	paths := strings.Fields(read(t, ".gitignore").text)
	for i := range paths {
		paths[i] = strings.Trim(paths[i], "/")
	}
	for _, file := range git(t, "ls-files", "--cached", "--others", "--exclude-standard") {
		for ; file != "."; file = filepath.Dir(file) {
			paths = append(paths, file)
		}
	}
	for _, p := range pages(t) {
		for _, word := range p.words() {
			if !ours.MatchString(word) {
				continue
			}
			require.True(t, slices.ContainsFunc(paths, func(path string) bool {
				found, err := filepath.Match(strings.TrimSuffix(word, "/"), path)
				require.NoError(t, err)
				return found
			}), "%s names %s", p.path, word)
		}
	}
}

func TestTargetsExist(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile").text
	targets := regexp.MustCompile(`(?m)^(?:make|.*[;&|(] *make) ([a-z][-a-z0-9]*)\b`)
	for _, p := range pages(t) {
		for _, found := range targets.FindAllStringSubmatch(strings.Join(append(append(p.words(), p.blocks("bash")...), p.blocks("console")...), "\n"), -1) {
			require.Regexp(t, `(?m)^`+found[1]+`:`, makefile, "%s names make %s", p.path, found[1])
		}
	}
}

// Variables are read somewhere: by a function, the Makefile, a script, or in a file that an operator fills in.
func TestVariablesExist(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, pattern := range []string{
		"Makefile", ".ci/run", "k3s/*.example", "k3s/*.sh", "k3s/*/*.yaml", "tools/*.sh", "knative/overlays/*/*.env", "knative/overlays/*/.env.example",
		"functions/*/*.go", "shared/*/*.go", "knative/local/*.go", "knative/cmd/*/*.go", "tests/*.go", "tests/*/*.go",
	} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		for _, path := range found {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			sources.Write(content)
		}
	}
	variable := regexp.MustCompile(`^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{4,})(?:=.*)?$`)
	methods := []string{"HEAD", "POST", "PATCH", "DELETE", "BEGIN", "COMMIT", "ROLE", "SKIP"}
	for _, p := range pages(t) {
		for _, word := range p.words() {
			if found := variable.FindStringSubmatch(word); len(found) > 0 && !slices.Contains(methods, found[1]) {
				require.Regexp(t, `\b`+found[1]+`\b`, sources.String(), "%s names %s", p.path, found[1])
			}
		}
	}
}

func TestTestsExist(t *testing.T) {
	t.Parallel()
	tests := git(t, "grep", "--untracked", "-hoE", `^func Test[A-Z0-9]\w*`, "--", "*_test.go")
	for _, p := range pages(t) {
		for _, word := range p.words() {
			if regexp.MustCompile(`^Test[A-Z0-9]\w*$`).MatchString(word) {
				require.Contains(t, tests, "func "+word, "%s names %s", p.path, word)
			}
		}
	}
}

// chapters are those of the book's contents, in order.
func chapters(t *testing.T) (all []page) {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?m)^\d+\. \[[^]]+\]\(([a-z-]+\.md)\)`).FindAllStringSubmatch(read(t, "docs/README.md").text, -1) {
		all = append(all, read(t, "docs/"+found[1]))
	}
	require.NotEmpty(t, all)
	return all
}

func TestChaptersHaveTheirForm(t *testing.T) {
	t.Parallel()
	for _, p := range chapters(t) {
		require.Regexp(t, `\A# [A-Z][^\n]+\n\n\*\*In short\.\*\* `, p.text, "%s opens with its summary", p.path)
		headings := regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(p.prose(), -1)
		require.NotEmpty(t, headings, p.path)
		require.Equal(t, "Runbook", headings[len(headings)-1][1], "%s ends with its runbook", p.path)
		for _, found := range fence.FindAllStringSubmatch(p.text, -1) {
			require.Contains(t, []string{"bash", "console"}, found[1], "%s has a block that is neither run nor said not to be", p.path)
		}
	}
}

// The blocks that can run do, chapter by chapter, in a copy of the project as an operator has it.
func TestBlocksRun(t *testing.T) {
	t.Parallel()
	files := git(t, "ls-files", "--cached", "--others", "--exclude-standard", "k3s", "knative/overlays")
	for _, p := range chapters(t) {
		blocks := p.blocks("bash")
		if len(blocks) == 0 {
			continue
		}
		folder := t.TempDir()
		for _, path := range files {
			info, err := os.Stat(filepath.Join(root, path))
			require.NoError(t, err)
			content, err := os.ReadFile(filepath.Join(root, path))
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o750))
			require.NoError(t, os.WriteFile(filepath.Join(folder, path), content, info.Mode()))
		}
		write := func(path, text string) {
			require.NoError(t, os.WriteFile(filepath.Join(folder, path), []byte(text), 0o600))
		}
		write("go.work", "go 1.26.0\n\nuse ./k3s\n")
		write("k3s/cluster.env", read(t, "k3s/cluster.env.example").text)
		write("k3s/operators.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPcDd6ywtnQbE+5DZvgMCGYaQV3sVjlVJY0Xc8SbCH9V ann\n")
		for _, block := range blocks {
			bash := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block)
			bash.Dir = folder
			printed, err := bash.CombinedOutput()
			require.NoError(t, err, "%s:\n%s\n%s", p.path, block, printed)
		}
	}
}

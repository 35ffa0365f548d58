package devtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/honeydue/backend/shared/devserver"
)

const migratePackage = "github.com/honeydue/backend/functions/migrate"

// A program is the one that migrates production, built once.
type program struct {
	once   sync.Once
	folder *folder
	err    error
}

// run migrates a database with the program.
func (p *program) run(ctx context.Context, ownerURL string) error {
	p.once.Do(func() { p.err = p.build(ctx) })
	if p.err != nil {
		return p.err
	}
	cmd := exec.CommandContext(ctx, p.path())
	cmd.Env = append(os.Environ(), "DATABASE_URL="+ownerURL)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", migratePackage, err, output)
	}
	return nil
}

func (p *program) build(ctx context.Context) error {
	root, err := devserver.Workspace()
	if err != nil {
		return err
	}
	if p.folder, err = makeFolder(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.path(), migratePackage)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0") // as its image is built, and not once more
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", migratePackage, err, output)
	}
	return nil
}

func (p *program) path() string { return filepath.Join(p.folder.path, "migrate") }

func (p *program) remove() error {
	if p.folder == nil {
		return nil
	}
	return p.folder.remove()
}

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// TestOperator is an operator's day, from no pod that knows them: let in by `make admin`, they act through the ingress.
func TestOperator(t *testing.T) {
	ctx, c := within(t, 3*time.Minute)
	require.NoError(t, c.AwaitZero(ctx, "admin"))
	// Pods reach the database by the network, whoever is on this machine by its loopback address.
	file := filepath.Join(t.TempDir(), "operator.env")
	require.NoError(t, os.WriteFile(file, []byte("honeydue-admin/DATABASE_URL="+c.PgBouncer.URL("honeydue_admin", cluster.Database)+"\n"), 0o600))
	panel := c.Phone()
	panel.URL = "http://admin.myhoneydue.com"
	require.NoError(t, story.Operate(ctx, story.Office{
		Phone: c.Phone, Panel: panel, Mail: c.Mailbox,
		Invite: func(ctx context.Context, email, role string) (string, error) {
			out, err := c.Make(ctx, "admin", "EMAIL="+email, "ROLE="+role, "ENV_FILE="+file)
			for word := range strings.FieldsSeq(out) {
				if strings.HasPrefix(word, "https://admin.myhoneydue.com/") {
					return word, nil
				}
			}
			return "", fmt.Errorf("make admin printed no link: %w", err)
		},
	}))
}

package tests

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/story"
)

// TestOperator is an operator's day: let in by the command's link, they act, and the people notice.
func TestOperator(t *testing.T) {
	t.Parallel()
	s := system(t)
	require.NoError(t, story.Operate(within(t, time.Minute), story.Office{
		Phone: story.At(s.URL), Panel: panel(s), Mail: s.Mailbox(), Invite: invite(s),
	}))
}

// panel calls the panel's host, which leads to this machine here.
func panel(s *local.System) *story.Phone {
	address := strings.TrimPrefix(s.URL, "http://")
	_, port, _ := net.SplitHostPort(address)
	phone := story.NewPhone("http://" + net.JoinHostPort("admin.localhost", port))
	phone.Client = &http.Client{Timeout: phone.Client.Timeout, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	return phone
}

// invite runs the command as `make admin` does.
func invite(s *local.System) func(ctx context.Context, email, role string) (string, error) {
	return func(ctx context.Context, email, role string) (string, error) {
		cmd := exec.CommandContext(ctx, filepath.Join(programs, "admin"), "enrol", "-role", role, email)
		cmd.Env = append(os.Environ(), "DATABASE_URL="+s.PgBouncer.URL("honeydue_admin", "honeydue"))
		out, err := cmd.Output()
		if err != nil {
			return "", err
		}
		for field := range strings.FieldsSeq(string(out)) {
			if strings.HasPrefix(field, "https://") {
				return field, nil
			}
		}
		return "", os.ErrNotExist
	}
}

package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/honeydue/backend/shared/devserver/ports"
)

// patience is how long a program may take until it listens.
const patience = 10 * time.Second

// Start runs a program that listens on PORT, on a free one, and returns once it does, with the address of its root. What it says
// goes to log.
func Start(ctx context.Context, program string, env []string, log io.Writer) (cmd *exec.Cmd, url string, err error) {
	port, err := ports.Free(ctx)
	if err != nil {
		return nil, "", err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cmd = exec.CommandContext(ctx, program)
	cmd.Env, cmd.Stderr = slices.Concat(env, []string{"LISTEN_HOST=127.0.0.1", "PORT=" + strconv.Itoa(port)}), log
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start program: %w", err)
	}
	for deadline := time.Now().Add(patience); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return cmd, "http://" + address, conn.Close()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			_ = cmd.Process.Kill()
			return nil, "", errors.Join(errors.New("the program does not listen"), cmd.Wait())
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
}

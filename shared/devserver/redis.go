package devserver

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Redis is a Redis server. It forgets everything at its end unless it is durable.
type Redis struct{ *Server }

// StartRedis starts Redis and returns once it answers. An error is a *MissingError when Redis is not installed.
func StartRedis(ctx context.Context, o Options) (*Redis, error) {
	s, err := newServer(redisProgram, o)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"bind":       "127.0.0.1",
		"unixsocket": "",
		"save":       "",
		"appendonly": "no",
		"dir":        s.folder,
		// Its arguments are what we know it by after a crash of ours.
		"set-proc-title": "no",
	}
	if o.Durable {
		settings["appendonly"] = "yes"
	}
	maps.Copy(settings, o.Settings)
	s.command = func(port int) ([]string, error) {
		args := []string{"--port", strconv.Itoa(port)}
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			args = append(args, "--"+name, settings[name])
		}
		return args, nil
	}
	s.probe = probeRedis
	if err := s.start(ctx, o.Port); err != nil {
		return nil, err
	}
	return &Redis{s}, nil
}

// probeRedis asks the server on the port for its process id.
func probeRedis(ctx context.Context, port, pid int) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(conn, "INFO server\r\nQUIT\r\n"); err != nil {
		return err
	}
	answers := bufio.NewScanner(conn)
	for answers.Scan() {
		found, ok := strings.CutPrefix(answers.Text(), "process_id:")
		if !ok {
			continue
		}
		if found != strconv.Itoa(pid) {
			return errTaken
		}
		return nil
	}
	return fmt.Errorf("ask redis for its process: no answer: %w", answers.Err())
}

// URL returns the address of a numbered database; there are 16, or as many as the setting databases says.
func (r *Redis) URL(database int) string {
	u := url.URL{Scheme: "redis", Host: "127.0.0.1:" + strconv.Itoa(r.port), Path: "/" + strconv.Itoa(database)}
	return u.String()
}

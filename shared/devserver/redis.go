package devserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Redis is a Redis server. It forgets everything at its end unless it is durable.
type Redis struct {
	*Server
	password string
}

// StartRedis starts Redis and returns once it answers. An error is a *MissingError when Redis is not installed.
func StartRedis(ctx context.Context, o Options) (*Redis, error) {
	s, err := newServer(redisProgram, o)
	if err != nil {
		return nil, err
	}
	if o.Host != "" && o.Password == "" {
		return nil, errors.New("start redis: Host needs a Password")
	}
	r := &Redis{s, o.Password}
	settings := map[string]string{
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
	config := filepath.Join(s.folder, "redis.conf")
	s.command = func(port int) ([]string, error) {
		// In a file, where other users of the machine cannot read the password.
		if err := s.as.writeFile(config, "bind "+o.listen(" ")+"\n"+requirePass(o.Password)); err != nil {
			return nil, err
		}
		args := []string{config, "--port", strconv.Itoa(port)}
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			args = append(args, "--"+name, settings[name])
		}
		return args, nil
	}
	s.probe = r.probe
	if err := s.start(ctx, o.Port); err != nil {
		return nil, err
	}
	return r, nil
}

// requirePass is the configuration's line for a password, with its bytes in hexadecimal, whatever they are.
func requirePass(password string) string {
	if password == "" {
		return ""
	}
	var line strings.Builder
	line.WriteString(`requirepass "`)
	for _, b := range []byte(password) {
		fmt.Fprintf(&line, `\x%02x`, b)
	}
	line.WriteString("\"\n")
	return line.String()
}

// probe asks the server on the port for its process id.
func (r *Redis) probe(ctx context.Context, port, pid int) error {
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
	ask := "INFO server\r\nQUIT\r\n"
	if r.password != "" {
		ask = fmt.Sprintf("*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n", len(r.password), r.password) + ask
	}
	if _, err := fmt.Fprint(conn, ask); err != nil {
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

// URL returns the address of a numbered database, with the password; there are 16, or as many as the setting
// databases says.
func (r *Redis) URL(database int) string { return r.url(loopback, database) }

// NetworkURL is URL as it reads at Options.Host.
func (r *Redis) NetworkURL(database int) string { return r.url(r.host, database) }

func (r *Redis) url(host string, database int) string {
	u := url.URL{
		Scheme: "redis", Host: net.JoinHostPort(host, strconv.Itoa(r.port)), Path: "/" + strconv.Itoa(database),
	}
	if r.password != "" {
		u.User = url.UserPassword("default", r.password) // redis-cli does not take an empty name
	}
	return u.String()
}

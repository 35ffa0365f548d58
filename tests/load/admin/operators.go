package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/honeydue/backend/tests/bench/built"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// An operator is signed in twice: on the panel with a cookie, and with a token of the API.
type operator struct {
	*story.Operator

	cookie string
}

// header is that of the operator's browser.
func (o operator) header(at *load.Site) http.Header {
	header := at.Host("admin")
	header.Set("Cookie", o.cookie)
	header.Set("X-Forwarded-For", o.Address)
	return header
}

// open lets two operators in who act, and one who reads, each by the link of the command.
func (o *office) open(ctx context.Context) (err error) {
	database, err := databaseURL(o.at)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "honeydue-admin-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := built.Functions(ctx, dir, "admin"); err != nil {
		return err
	}
	panel := panelOf(o.at)
	in := story.Office{Phone: o.at.Phone, Panel: panel, Invite: func(ctx context.Context, email, role string) (string, error) {
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "admin"), "enrol", "-role", role, email)
		cmd.Env, cmd.Stderr = append(os.Environ(), "DATABASE_URL="+database, "DATABASE_EXEC_MODE=exec"), os.Stderr
		said, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("run admin enrol: %w", err)
		}
		for field := range strings.FieldsSeq(string(said)) {
			if strings.HasPrefix(field, "http") {
				return field, nil
			}
		}
		return "", errors.New("admin enrol printed no link")
	}}
	for _, role := range []string{"admin", "admin", "support"} {
		op, err := signIn(ctx, in, role)
		if err != nil {
			return err
		}
		o.operators = append(o.operators, op)
	}
	o.admins, o.support = o.operators[:2], o.operators[2]
	return nil
}

// signIn enrols an operator and signs them in. Codes of the authenticator work once: the panel takes the next one, and the API one for
// who has lost it.
func signIn(ctx context.Context, in story.Office, role string) (operator, error) {
	enrolled, err := story.Enrol(ctx, in, role)
	if err != nil {
		return operator{}, fmt.Errorf("enrol: %w", err)
	}
	op := operator{Operator: enrolled}
	code, err := op.Code(1)
	if err != nil {
		return op, err
	}
	page, err := in.Panel.Post(ctx, "/sign-in/", url.Values{"email": {op.Email}, "password": {op.Password}, "code": {code}})
	if err != nil {
		return op, fmt.Errorf("sign in: %w", err)
	}
	for _, cookie := range (&http.Response{Header: page.Header}).Cookies() {
		op.cookie = cookie.Name + "=" + cookie.Value
	}
	if page.Status != http.StatusSeeOther || op.cookie == "" {
		return op, fmt.Errorf("sign in: answered %d", page.Status)
	}
	var with struct{ Token string }
	proof := map[string]string{"email": op.Email, "password": op.Password, "code": op.Recovery[0]}
	if err := op.Create(ctx, "/api/admin/login/", http.StatusOK, proof, &with); err != nil {
		return op, fmt.Errorf("sign in: %w", err)
	}
	op.Token = with.Token
	return op, nil
}

// panelOf calls the panel's host, which leads to this machine. A redirect is an answer.
func panelOf(at *load.Site) *story.Phone {
	address := strings.TrimPrefix(at.URL, "http://")
	panel := at.Phone()
	panel.URL = "http://" + at.Host("admin").Get("Host")
	if at.Cluster != nil {
		return panel // whose ingress serves all hosts
	}
	panel.Client = &http.Client{
		Timeout:       panel.Client.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}},
	}
	return panel
}

// databaseURL is where the command that lets operators in writes: the load's own system, the test cluster's, or the one of `make run`, which leaves a file
// about itself. Nobody else is let in.
func databaseURL(at *load.Site) (string, error) {
	switch {
	case at.Local != nil:
		return at.Local.PgBouncer.URL("honeydue_admin", "honeydue"), nil
	case at.Cluster != nil:
		return at.Cluster.PgBouncer.URL("honeydue_admin", cluster.Database), nil
	}
	path := filepath.Join(cmp.Or(os.Getenv("RUN_DIR"), ".run"), "admin.env")
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("only `admin enrol` lets operators in, and that needs what `make run` writes for it (RUN_DIR): leave -target out, "+
			"and a system is started: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		values[name] = value
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if values["ADMIN_URL"] != "http://"+at.Host("admin").Get("Host") || values["honeydue-admin/DATABASE_URL"] == "" {
		return "", fmt.Errorf("%s is about another system than the one at -target: set RUN_DIR as for `make run`, or leave -target out", path)
	}
	return values["honeydue-admin/DATABASE_URL"], nil
}

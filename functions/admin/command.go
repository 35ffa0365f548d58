package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"os/signal"
	"strings"
	"syscall"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
)

const usage = `usage: admin enrol [-role admin|support] EMAIL

Makes an operator's account, an admin's unless -role says otherwise. One that is there is opened again for a new password and
authenticator, which ends its sessions; without -role it keeps its role. Prints a link that works once, for a day: whoever opens it
chooses the password. The audit log keeps that this was done.

environment:
  DATABASE_URL  of the role honeydue_admin, as the function has it
  ADMIN_URL     where the panel is (https://admin.myhoneydue.com)

exit code: 0 done, 1 it could not be done, 2 it was asked wrongly
`

type commandConfig struct {
	Database pg.Config
	AdminURL string `envconfig:"ADMIN_URL" default:"https://admin.myhoneydue.com"`
}

// command runs what args say and returns the exit code.
func command(args []string, out, errs io.Writer) int {
	const done, failed, askedWrongly = 0, 1, 2
	flags := flag.NewFlagSet("admin enrol", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	chosen := flags.String("role", "", "")
	wrong := func(what string) int {
		_, _ = fmt.Fprintf(errs, "admin: %s\n\n%s", what, usage)
		return askedWrongly
	}
	if args[0] != "enrol" {
		return wrong("there is no command of that name")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return wrong(err.Error())
	}
	email, err := mail.ParseAddress(flags.Arg(0))
	switch {
	case flags.NArg() != 1 || err != nil || email.Address != flags.Arg(0) || len(email.Address) > 254:
		return wrong("expected one email address, such as ann@example.com")
	case *chosen != "" && *chosen != string(adminRole) && *chosen != string(supportRole):
		return wrong("-role is admin or support")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	link, err := invite(ctx, email.Address, role(*chosen))
	if err != nil {
		_, _ = fmt.Fprintln(errs, "admin:", err)
		return failed
	}
	_, _ = fmt.Fprintf(out, "Open this link within a day and choose a password; have an authenticator app at hand:\n\n  %s\n\n", link)
	return done
}

// An account that is opened again keeps its id, its history, and its role where $2 names none. What it signed in with ends at once, and so do its sessions.
const inviteOperator = `
WITH was AS (
    SELECT id, role, disabled_at, enrolled_at FROM admin_account WHERE lower(email) = $1
), account AS (
    INSERT INTO admin_account (email, role, enrolment_hash, enrolment_expires_at)
    VALUES ($1, coalesce(nullif($2::text, ''), 'admin'), $3::bytea, now() + make_interval(secs => $4::float8))
    ON CONFLICT (lower(email)) DO UPDATE SET role = coalesce(nullif($2::text, ''), admin_account.role), enrolment_hash = excluded.enrolment_hash,
        enrolment_expires_at = excluded.enrolment_expires_at, password_hash = NULL, totp_secret = NULL, enrolled_at = NULL, disabled_at = NULL
    RETURNING id, role
), ended AS (
    DELETE FROM admin_session s USING account WHERE s.account_id = account.id
)
INSERT INTO admin_audit (act, subject, before, after, address)
SELECT 'invite', 'operators/' || account.id,
    CASE WHEN was.id IS NOT NULL THEN jsonb_build_object('role', was.role, 'disabled_at', was.disabled_at, 'enrolled_at', was.enrolled_at) END,
    jsonb_build_object('role', account.role, 'disabled_at', NULL, 'enrolled_at', NULL), 'command line'
FROM account LEFT JOIN was ON was.id = account.id`

// invite opens an account for enrolment and returns the link.
func invite(ctx context.Context, email string, as role) (string, error) {
	var cfg commandConfig
	if err := run.Read(&cfg); err != nil {
		return "", fmt.Errorf("%w: set what `admin enrol` lists under environment", err)
	}
	base, err := url.Parse(cfg.AdminURL)
	if err != nil || base.Host == "" {
		return "", errors.New("ADMIN_URL is not an address such as https://admin.myhoneydue.com")
	}
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer db.Close()
	token := newToken()
	if _, err := db.Exec(ctx, inviteOperator, strings.ToLower(email), string(as), authn.Hash(token), enrolmentLife.Seconds()); err != nil {
		return "", fmt.Errorf("open the account: %w: check that DATABASE_URL's server is up and that migrate has run", err)
	}
	base = base.JoinPath("enrol", "/")
	base.RawQuery = url.Values{"token": {token}}.Encode()
	return base.String(), nil
}

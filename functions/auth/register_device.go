package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/problem"
)

// maxDevices is how many a person has at most.
const maxDevices = 20

const platformIOS = "ios"

// A token may have 2,048 characters, ten times what Google gives: an entry of the index by which it is found has room for 2,700 bytes.
type registerDeviceInput struct {
	Body struct {
		Platform   string  `json:"platform" enum:"ios,android" doc:"Whose pushes it takes: Apple's or Google's" example:"ios"`
		Token      string  `json:"token" minLength:"1" maxLength:"2048" pattern:"^[!-~]*$" patternDescription:"visible ASCII" doc:"What the provider gave the app: 64 to 200 hexadecimal digits on iOS, visible ASCII on Android" example:"740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"`
		Name       *string `json:"name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" example:"Ann's iPhone"`
		AppVersion *string `json:"app_version,omitempty" maxLength:"50" pattern:"^[!-~]*$" patternDescription:"visible ASCII" example:"2.4.1"`
	}
}

type deviceOutput struct{ Body device }

func (s *service) registerDevice(ctx context.Context, in *registerDeviceInput) (*deviceOutput, error) {
	b := in.Body
	token, err := parseDeviceToken(b.Platform, b.Token)
	if err != nil {
		return nil, err
	}
	registered, err := s.keepDevice(ctx, authn.User(ctx), b.Platform, token, trimmed(b.Name), b.AppVersion)
	if err != nil {
		return nil, fmt.Errorf("register device: %w", signedOut(err))
	}
	return &deviceOutput{registered}, nil
}

// parseDeviceToken returns a token in the one spelling under which it is kept. What no provider gives is a problem 422.
func parseDeviceToken(platform, token string) (string, error) {
	if platform != platformIOS {
		return token, nil
	}
	token = strings.ToLower(token)
	if len(token) < 64 || len(token) > 200 || strings.Trim(token, "0123456789abcdef") != "" {
		return "", problem.Invalid("body.token", "expected 64 to 200 hexadecimal digits")
	}
	return token, nil
}

const (
	// One at a time has a token: two accounts that register it at the same moment do so one after the other.
	lockDevice = `SELECT pg_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 0))`

	// Whatever ends sessions of the person waits, or has ended this one. The account's row makes the count of its devices exact.
	lockSession = `
SELECT s.id FROM auth_session s JOIN auth_user u ON u.id = s.user_id WHERE s.id = $1 AND s.user_id = $2
FOR NO KEY UPDATE OF u FOR KEY SHARE OF s`

	// Under the other account's id, a provider's late word about the token would drop it from this one.
	takeDevice = `
DELETE FROM auth_device d USING auth_session s
WHERE d.platform = $1 AND d.token = $2 AND d.user_id <> s.user_id AND s.id = $3`

	upsertDevice = `
INSERT INTO auth_device AS d (user_id, session_id, platform, token, name, app_version)
SELECT s.user_id, s.id, $2::text, $3::text, $4::text, $5::text FROM auth_session s WHERE s.id = $1
ON CONFLICT (platform, token) DO UPDATE
SET session_id = excluded.session_id, name = excluded.name, app_version = excluded.app_version, registered_at = now()
RETURNING ` + deviceColumns

	// One that somebody else holds is on its way out already: it moves to them.
	dropOldDevices = `
DELETE FROM auth_device WHERE id IN (
    SELECT id FROM auth_device WHERE id IN (
        SELECT id FROM auth_device WHERE user_id = $1 ORDER BY registered_at DESC, id DESC OFFSET $2::int
    ) FOR UPDATE SKIP LOCKED
)`
)

// keepDevice writes a device of me, in one round trip and all or none. A session that has ended is pgx.ErrNoRows.
func (s *service) keepDevice(ctx context.Context, me authn.Person, platform, token string, name, version *string) (device, error) {
	var kept []device
	batch := &pgx.Batch{}
	batch.Queue(lockDevice, platform, token)
	batch.Queue(lockSession, me.SessionID, me.ID)
	batch.Queue(takeDevice, platform, token, me.SessionID)
	batch.Queue(upsertDevice, me.SessionID, platform, token, name, version).Query(into(&kept, pgx.RowToStructByName[device]))
	batch.Queue(dropOldDevices, me.ID, maxDevices)
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return device{}, err
	}
	if len(kept) == 0 {
		return device{}, pgx.ErrNoRows
	}
	return kept[0], nil
}

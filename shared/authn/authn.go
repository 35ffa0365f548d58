// Package authn finds out who calls: it turns the token of a request into a person, from the cache where possible.
package authn

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones on a machine that has none

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// SessionLife is how long a token lives after it was last used. Using it moves its end at most once an hour.
const SessionLife = 90 * 24 * time.Hour

// A Person is who calls.
type Person struct {
	ID        int64
	SessionID int64
	TokenHash []byte
	zone      *time.Location
}

// Hash returns what is stored of a token.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

type personKey struct{}

// User returns who calls. Only operations of a group of [Authenticator.Group] have one.
func User(ctx context.Context) Person {
	person, _ := ctx.Value(personKey{}).(Person)
	return person
}

// Today returns the date that it is for the caller at instant now.
func Today(ctx context.Context, now time.Time) date.Date {
	zone := User(ctx).zone
	if zone == nil {
		zone = time.UTC
	}
	return date.In(now, zone)
}

// zones are those that were asked for, by name: reading one takes longer than the rest of finding out who calls. What a name stands
// for does not change while a process lives, and there are no more names than files: another spelling of a path is none.
var zones sync.Map

// Zone returns the time zone of an IANA name. The process's own zone has none, and nor has the machine's.
func Zone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	if name == "" || name == "Local" || name == "localtime" || len(name) > 64 || path.Clean(name) != name {
		return nil, errors.New("not an IANA time zone")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, errors.New("not an IANA time zone")
	}
	zones.Store(name, zone)
	return zone, nil
}

// Authenticator looks tokens up.
type Authenticator struct {
	DB    *pg.DB
	Cache *cache.Cache
}

// Group returns an API whose operations take only callers with a valid token, and the header X-Timezone.
func (a *Authenticator) Group(on huma.API) huma.API {
	group := huma.NewGroup(on)
	group.UseSimpleModifier(func(op *huma.Operation) {
		if op.Security != nil {
			return // huma modifies an operation twice: for the document and for the router
		}
		op.Security = []map[string][]string{{"token": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized)
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "X-Timezone", In: "header", Description: "IANA time zone that decides what today is; else the stored one; else UTC",
			Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(64), Examples: []any{"Europe/Berlin"}},
		})
	})
	group.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		ctx = huma.WithContext(ctx, cache.OfRequest(ctx.Context()))
		person, err := a.person(ctx.Context(), ctx.Header("Authorization"), ctx.Header("X-Timezone"))
		if err != nil {
			api.Refuse(ctx, err)
			return
		}
		api.Log(ctx.Context(), slog.Int64("user", person.ID))
		next(huma.WithValue(ctx, personKey{}, person))
	})
	return group
}

// lookup is what is kept of a token for a while.
type lookup struct {
	SessionID int64
	UserID    int64
	TimeZone  *string
}

// The session's end moves with its use, in the same statement.
const selectSession = `
WITH found AS (
    SELECT s.id, s.user_id, s.last_used_at, u.time_zone
    FROM auth_session s JOIN auth_user u ON u.id = s.user_id
    WHERE s.token_hash = $1::bytea AND s.expires_at > now()
), slid AS (
    UPDATE auth_session s SET last_used_at = now(), expires_at = now() + make_interval(secs => $2::float8)
    FROM found WHERE s.id = found.id AND found.last_used_at < now() - interval '1 hour'
)
SELECT id AS session_id, user_id, time_zone FROM found`

func (a *Authenticator) person(ctx context.Context, authorization, zoneName string) (Person, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if (!strings.EqualFold(scheme, "Token") && !strings.EqualFold(scheme, "Bearer")) || !strings.HasPrefix(token, "hd_") || len(token) > 100 {
		return Person{}, problem.Unauthenticated()
	}
	hash := Hash(token)
	found, err := a.look(ctx, hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return Person{}, problem.Unauthenticated()
	}
	if err != nil {
		return Person{}, err
	}
	person := Person{ID: found.UserID, SessionID: found.SessionID, TokenHash: hash}
	if zoneName != "" {
		if person.zone, err = Zone(zoneName); err != nil {
			return Person{}, problem.Invalid("header.X-Timezone", "expected an IANA time zone")
		}
	} else if found.TimeZone != nil {
		person.zone, _ = Zone(*found.TimeZone)
	}
	return person, nil
}

func (a *Authenticator) look(ctx context.Context, hash []byte) (lookup, error) {
	var found lookup
	kept, store := a.Cache.Token(ctx, hash)
	if kept != nil && json.Unmarshal(kept, &found) == nil {
		return found, nil
	}
	found, err := pg.One[lookup](ctx, a.DB, selectSession, hash, SessionLife.Seconds())
	if err != nil {
		return lookup{}, err
	}
	value, err := json.Marshal(found)
	if err != nil {
		return lookup{}, err
	}
	store(ctx, value)
	return found, nil
}

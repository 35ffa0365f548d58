// Package cache keeps in Redis what spares a distant database a question: boards and token look-ups. Redis may be
// gone, slow or emptied at any moment; nothing here is ever the truth, and nothing here can force a stale answer.
//
// Each person has a generation, a random value under which their boards are stored. A writer puts a marker of its
// own beside it before it commits, and takes the marker off with a fresh generation afterwards. While a marker
// stands, nobody reads or stores. A reader takes the generation before it reads the database and stores
// under it, so what it stores late is never found. A marker outlives every transaction; one whose writer was killed ends
// by itself, and the generation with it. A generation that was lost may have been lost together with markers: nobody
// reads or stores until the longest transaction of that moment must have ended.
//
// A process holds the boards that it sent last, and asks for their generation together with the token: while that is the one that
// a board was kept under, and no marker is beside it, the board is what Redis would have given.
package cache

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/honeydue/backend/shared/timing"
)

// Lives of what is kept.
const (
	boardLife      = 300 * time.Second
	tokenLife      = 60 * time.Second
	generationLife = 30 * 24 * time.Hour
)

// times bound what is asked of Redis. After a failure readers ask again only when the pause is over; writers always do.
type times struct {
	marker      time.Duration // longer than any transaction
	readBudget  time.Duration
	writeBudget time.Duration
	pause       time.Duration
}

// Config says where Redis is, and what one request may spend on it when it does not answer: two fifths on reading,
// three tenths before a commit and as much after it. No budget is the usual one of 50 ms.
type Config struct {
	URL    string        `envconfig:"REDIS_URL" required:"true"`
	Budget time.Duration `envconfig:"REDIS_BUDGET"`
}

func (c Config) times() times {
	budget := cmp.Or(c.Budget, 50*time.Millisecond)
	return times{marker: 10 * time.Second, readBudget: budget * 2 / 5, writeBudget: budget * 3 / 10, pause: time.Second}
}

// Cache is a client that connects on first use.
type Cache struct {
	redis      *redis.Client
	log        *slog.Logger
	times      times
	held       *lru.Cache[string, holding] // by the key of a token
	pauseUntil atomic.Int64                // UnixNano
}

// Open returns a cache for cfg. It connects to nothing; only an unreadable URL is an error, which does not show it.
func Open(cfg Config, log *slog.Logger) (*Cache, error) { return open(cfg.URL, log, cfg.times()) }

func open(address string, log *slog.Logger, t times) (*Cache, error) {
	muteClient()
	options, err := redis.ParseURL(address)
	if err != nil {
		return nil, errors.New("REDIS_URL is not a Redis address")
	}
	options.MaxRetries = -1
	options.DialTimeout = t.readBudget
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1
	options.DisableIdentity = true
	held, err := lru.New[string, holding](holdings)
	if err != nil {
		return nil, fmt.Errorf("make room for boards: %w", err)
	}
	return &Cache{redis: redis.NewClient(options), log: log, times: t, held: held}, nil
}

// calls counts what was asked of Redis, and what nobody asked because it had just failed.
var calls, _ = otel.Meter("github.com/honeydue/backend/shared/cache").Int64Counter("honeydue.cache.calls", metric.WithUnit("{call}"),
	metric.WithDescription("Calls of Redis by their outcome: answered, failed, spared"))

var answered, failed, spared = outcome("answered"), outcome("failed"), outcome("spared")

func outcome(name string) metric.AddOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", name)))
}

// muteClient keeps the client's own log lines off standard error, for a whole process: the cache says itself what went wrong.
var muteClient = sync.OnceFunc(func() { redis.SetLogger(mute{}) })

type mute struct{}

// Printf drops a line.
func (mute) Printf(context.Context, string, ...any) {}

// Close ends the client's connections.
func (c *Cache) Close() error { return c.redis.Close() }

// Ping returns an error when Redis does not answer in time.
func (c *Cache) Ping(ctx context.Context) error {
	timing.Begin(ctx, timing.Cache)
	defer timing.End(ctx, timing.Cache)
	ctx, cancel := context.WithTimeout(ctx, c.times.readBudget)
	defer cancel()
	if err := c.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping cache: %w", err)
	}
	return nil
}

// reading runs ask within a reader's budget and returns whether Redis answered.
func (c *Cache) reading(ctx context.Context, what string, ask func(ctx context.Context) error) bool {
	if time.Now().UnixNano() < c.pauseUntil.Load() {
		calls.Add(ctx, 1, spared)
		return false
	}
	return c.within(ctx, c.times.readBudget, what, ask)
}

// writing runs tell within a writer's budget. It is never spared: what a writer leaves out, others would miss.
func (c *Cache) writing(ctx context.Context, what string, tell func(ctx context.Context) error) {
	c.within(context.WithoutCancel(ctx), c.times.writeBudget, what, tell)
}

func (c *Cache) within(ctx context.Context, budget time.Duration, what string, do func(ctx context.Context) error) bool {
	timing.Begin(ctx, timing.Cache)
	defer timing.End(ctx, timing.Cache)
	bounded, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	err := do(bounded)
	if err == nil || errors.Is(err, redis.Nil) {
		calls.Add(ctx, 1, answered)
		return true
	}
	if ctx.Err() == nil {
		calls.Add(ctx, 1, failed)
		c.pauseUntil.Store(time.Now().Add(c.times.pause).UnixNano())
		c.log.WarnContext(ctx, "redis did not answer; going on without it: check REDIS_URL and the server", "doing", what, "error", err)
	}
	return false
}

// markerLife is the first argument of every script.
func (c *Cache) markerLife() int64 { return c.times.marker.Milliseconds() }

func generationKey(user int64) string {
	return "tasks:user:" + strconv.FormatInt(user, 10) + ":generation"
}

// A generation is a hash: g is the value, each other field a marker with the instant, in ms, at which it ends.
// Every script begins by dropping markers that have ended, and the generation that they stood beside. Its first argument
// is how many ms a marker lives.
const scriptPrelude = `
local MARKER = tonumber(ARGV[1])
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local function generation(key, fresh)
  local fields = redis.call('HGETALL', key)
  local g, marked, ended = nil, false, false
  for i = 1, #fields, 2 do
    if fields[i] == 'g' then g = fields[i + 1]
    elseif tonumber(fields[i + 1]) > now then marked = true
    else redis.call('HDEL', key, fields[i]); ended = true end
  end
  if #fields == 0 then
    redis.call('HSET', key, 'lost', now + MARKER)
    redis.call('PEXPIRE', key, LIFE)
    return nil
  end
  if marked then return nil end
  if ended or not g then
    g = fresh
    redis.call('HSET', key, 'g', g)
    redis.call('PEXPIRE', key, LIFE)
  end
  return g
end
`

func script(body string) *redis.Script {
	return redis.NewScript(fmt.Sprintf("local LIFE = %d\n", generationLife.Milliseconds()) + scriptPrelude + body)
}

// scripts are made once for a process; they hold no state.
var (
	readScript = script(`
local g = generation(KEYS[1], ARGV[2])
if not g then return {} end
local key = ARGV[3] .. g .. ARGV[4]
return {g, redis.call('GET', key), redis.call('PTTL', key)}`)

	markScript = script(`
for _, key in ipairs(KEYS) do
  generation(key, ARGV[3])
  redis.call('HSET', key, ARGV[2], now + MARKER)
  redis.call('PEXPIRE', key, LIFE)
end
return 1`)

	settleScript = script(`
for _, key in ipairs(KEYS) do
  local own = redis.call('HDEL', key, ARGV[2])
  if own == 1 and redis.call('HLEN', key) == 0 then redis.call('HSET', key, 'g', ARGV[3]) end
  if generation(key, ARGV[3]) then
    redis.call('HSET', key, 'g', ARGV[3])
    redis.call('PEXPIRE', key, LIFE)
  end
end
return 1`)

	bornScript = script(`
redis.call('HSETNX', KEYS[1], 'g', ARGV[2])
redis.call('PEXPIRE', KEYS[1], LIFE)
return 1`)
)

// Born gives a person who was just created a generation, so that their first board can be kept at once.
func (c *Cache) Born(ctx context.Context, user int64) {
	c.writing(ctx, "begin generation", func(ctx context.Context) error {
		return bornScript.Run(ctx, c.redis, []string{generationKey(user)}, c.markerLife(), rand.Text()).Err()
	})
}

// Mark forbids reading and storing the boards of users until settle is called or the marker ends. The caller
// marks before it commits a change that these people see, and settles once the transaction is over: committed or rolled
// back. While that is in doubt it does not settle.
func (c *Cache) Mark(ctx context.Context, users []int64) (settle func(ctx context.Context)) {
	if len(users) == 0 {
		return func(context.Context) {}
	}
	unsee(ctx)
	keys := make([]string, len(users))
	for i, user := range users {
		keys[i] = generationKey(user)
	}
	marker := "w" + rand.Text()
	c.writing(ctx, "mark boards", func(ctx context.Context) error {
		return markScript.Run(ctx, c.redis, keys, c.markerLife(), marker, rand.Text()).Err()
	})
	return func(ctx context.Context) {
		c.writing(ctx, "settle boards", func(ctx context.Context) error {
			return settleScript.Run(ctx, c.redis, keys, c.markerLife(), marker, rand.Text()).Err()
		})
	}
}

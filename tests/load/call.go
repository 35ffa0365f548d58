package load

import (
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/honeydue/backend/tests/story"
)

// A Call is one request, and what its answer must be.
type Call struct {
	Name   string // as the tables know it
	Method string
	URL    string // the path, or a whole address inside the system
	As     *story.Phone
	Body   any // sent as JSON; a []byte as it is; nil not at all
	Header http.Header
	Status int
	Check  func(header http.Header, body []byte) error // nil where the status says everything
}

// check returns what is wrong with an answer.
func (c *Call) check(status int, header http.Header, body []byte) error {
	if status != c.Status {
		return fmt.Errorf("%s: answered %d, not %d", c.Name, status, c.Status)
	}
	if c.Check == nil {
		return nil
	}
	if err := c.Check(header, body); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	return nil
}

// encoded is the body as it is sent.
func (c *Call) encoded() ([]byte, error) {
	if raw, ok := c.Body.([]byte); ok || c.Body == nil {
		return raw, nil
	}
	body, err := json.Marshal(c.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: encode body: %w", c.Name, err)
	}
	return body, nil
}

// Decode reads JSON into a value of its type.
func Decode[T any](body []byte) (into T, err error) {
	if err := json.Unmarshal(body, &into); err != nil {
		return into, fmt.Errorf("decode answer: %w", err)
	}
	return into, nil
}

// Wrong is err, to which decoding came, or what is wrong when something is.
func Wrong(err error, is bool, what string) error {
	if err == nil && is {
		err = errors.New(what)
	}
	return err
}

// A Share is something that people do, as often as its weight has it among the others.
type Share struct {
	Weight int
	Call   func() Call
}

// Mixed draws from shares at random.
func Mixed(shares ...Share) func() Call {
	sum := 0
	for _, s := range shares {
		sum += s.Weight
	}
	return func() Call {
		n := rand.IntN(sum)
		for _, s := range shares {
			if n -= s.Weight; n < 0 {
				return s.Call()
			}
		}
		return shares[0].Call()
	}
}

// Key is a header with an Idempotency-Key that was never used.
func Key() http.Header { return http.Header{"Idempotency-Key": {crand.Text()}} }

// OneOf draws one of what there is.
func OneOf[T any](all []T) T { return all[rand.IntN(len(all))] }

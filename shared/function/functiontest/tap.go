package functiontest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// big is how many rows make a table one that nobody may read from end to end. No reader of a test has as many rows as vain, so that a step
// which reads more of a big table, or more for nothing, reads what others have.
const (
	big  = 1_000
	vain = 10_000
)

// A plan is how one statement was carried out.
type plan struct {
	Query string `json:"Query Text"`
	Plan  node
	Text  string `json:"-"`
}

// A node is a step of a plan. What it passed on and what it removed is so much for each of its loops.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Cond     string  `json:"Index Cond"`
	Loops    float64 `json:"Actual Loops"`
	Rows     float64 `json:"Actual Rows"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Plans    []node
}

// faults returns what a plan does that it must not, with those tables.
func (p plan) faults(tables []string) []string { return p.Plan.faults(tables) }

func (n node) faults(tables []string) []string {
	var found []string
	large := slices.Contains(tables, n.Relation)
	switch n.Type {
	case "Seq Scan":
		if large {
			found = append(found, "reads all of "+n.Relation)
		}
	case "Index Scan", "Index Only Scan":
		if large && n.Cond == "" {
			found = append(found, fmt.Sprintf("reads all of %s by way of %s", n.Relation, n.Index))
		}
	}
	if n.Removed*n.Loops > vain {
		found = append(found, fmt.Sprintf("%s reads %.0f rows in vain", n.Type, n.Removed*n.Loops))
	}
	// A look that finds nothing is one, too.
	if read := max(n.Rows+n.Removed, 1) * n.Loops; large && read > vain {
		found = append(found, fmt.Sprintf("%s reads %.0f rows of %s", n.Type, read, n.Relation))
	}
	for _, below := range n.Plans {
		// What searches an index for a bitmap does not say of which table it is.
		if below.Relation == "" && strings.HasPrefix(n.Type, "Bitmap") {
			below.Relation = n.Relation
		}
		found = append(found, below.faults(tables)...)
	}
	return found
}

// A tap is a TCP proxy before PostgreSQL that keeps the plans which the server tells of beside its answers.
type tap struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	mu    sync.Mutex
	plans []plan
	err   error
}

// listen starts a tap on loopback that ends with the test, once its clients have left.
func listen(t *testing.T, target string) *tap {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &tap{listener: listener, target: target}
	p.group.Go(p.accept)
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		p.group.Wait()
	})
	return p
}

func (p *tap) addr() string { return p.listener.Addr().String() }

// taken returns the plans of everything that was answered since it was asked before.
func (p *tap) taken(t *testing.T) []plan {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NoError(t, p.err)
	taken := p.plans
	p.plans = nil
	return taken
}

func (p *tap) accept() {
	dialer := net.Dialer{}
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := dialer.DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.group.Go(func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		})
		p.group.Go(func() {
			var err error
			for err == nil {
				err = p.pass(client, server)
			}
			_ = client.Close()
		})
	}
}

// pass forwards one message of the server's.
func (p *tap) pass(client io.Writer, server io.Reader) error {
	message := make([]byte, 5)
	if _, err := io.ReadFull(server, message); err != nil {
		return err
	}
	body := make([]byte, binary.BigEndian.Uint32(message[1:])-4)
	if _, err := io.ReadFull(server, body); err != nil {
		return err
	}
	if message[0] == 'N' {
		p.keep(body)
	}
	_, err := client.Write(append(message, body...))
	return err
}

// keep reads a notice, and the plan in it if there is one.
func (p *tap) keep(body []byte) {
	var notice pgproto3.NoticeResponse
	err := notice.Decode(body)
	_, text, found := strings.Cut(notice.Message, "plan:\n")
	read := plan{Text: text}
	if err == nil && found {
		err = json.Unmarshal([]byte(text), &read)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.err = fmt.Errorf("read plan: %w", err)
	case found:
		p.plans = append(p.plans, read)
	}
}

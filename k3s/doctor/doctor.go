// Package doctor looks at the operator's machine and the cluster, and says of each thing that is not as it should be how to mend it.
package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Finding is one thing that is not as it must be, and what to do.
type Finding struct {
	What, Mend string
}

// An Examination is one subject: what was looked at, and what was found.
type Examination struct {
	Subject  string
	Looked   string // in few words, when all is well
	Findings []Finding
	Skipped  string // why nothing was looked at, and how to change that; empty: something was
}

// A Patient answers what kubectl is asked, and which programs the machine has.
type Patient struct {
	// Kubectl runs kubectl with these arguments and returns what it prints.
	Kubectl func(ctx context.Context, args ...string) ([]byte, error)
	// Run runs another program; its error says when there is none of that name.
	Run func(ctx context.Context, name string, args ...string) ([]byte, error)
	// Getenv is os.Getenv.
	Getenv func(name string) string
	Now    func() time.Time

	Nodes   int    // that there must be; 0: any number
	Version string // of K3s, as pins.lock has it; empty: any
	Go      string // as go.work has it, such as 1.26; empty: any
}

// Examine looks at everything, and returns one examination per subject, in a fixed order.
func (p *Patient) Examine(ctx context.Context) []Examination {
	subjects := []struct {
		name string
		look func(ctx context.Context) Examination
	}{
		{"tools", p.tools}, {"context", p.context}, {"nodes", p.nodes}, {"beside", p.beside}, {"Knative", p.knative}, {"Broker", p.broker},
		{"functions", p.functions}, {"images", p.images}, {"Pod Security", p.podSecurity}, {"schedules", p.schedules},
		{"certificates", p.certificates}, {"backups", p.backups}, {"etcd", p.snapshots},
	}
	all := make([]Examination, 0, len(subjects))
	for _, s := range subjects {
		e := s.look(ctx)
		e.Subject = s.name
		all = append(all, e)
	}
	return all
}

// read asks kubectl for objects. A kind that the cluster does not have is none of them.
func (p *Patient) read(ctx context.Context, into any, args ...string) error {
	printed, err := p.Kubectl(ctx, append([]string{"get", "--output=json", "--request-timeout=10s"}, args...)...)
	if err != nil {
		if strings.Contains(err.Error(), "the server doesn't have a resource type") || strings.Contains(err.Error(), "could not find the requested resource") {
			return nil
		}
		return err
	}
	if len(bytes.TrimSpace(printed)) == 0 {
		return nil // --ignore-not-found, and it is not there
	}
	if err := json.Unmarshal(printed, into); err != nil {
		return fmt.Errorf("decode %s: %w", args[0], err)
	}
	return nil
}

// A list is what kubectl prints of several objects.
type list[T any] struct{ Items []T }

type meta struct {
	Name, Namespace string
	Labels          map[string]string
}

type condition struct{ Type, Status, Message string }

// is returns whether the condition of that type holds, and what it says otherwise.
func is(all []condition, kind string) (bool, string) {
	for _, c := range all {
		if c.Type == kind {
			return c.Status == "True", c.Message
		}
	}
	return false, "it says nothing of being " + kind
}

// failed is the examination of what could not be asked.
func failed(err error, mend string) Examination {
	return Examination{Findings: []Finding{{err.Error(), mend}}}
}

const unreachable = "see that kubectl reaches the cluster: kubectl get nodes"

package events

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Ping sends what the PingSource of that name sends at its ticks, with a fresh id, and returns nil once the broker has taken it. The
// source's namespace is that of the broker: the first part of the path of its address.
func (p Publisher) Ping(ctx context.Context, schedule string, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	broker, err := url.Parse(p.Sink)
	if err != nil {
		return fmt.Errorf("address of the broker: %w", err)
	}
	namespace, _, _ := strings.Cut(strings.TrimPrefix(broker.Path, "/"), "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Sink, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("address of the broker: %w", err)
	}
	req.Header = header(uuid.New(), PingType, "/apis/v1/namespaces/"+namespace+"/pingsources/"+schedule, now)
	req.Header.Set("Kn-Namespace", namespace)
	return p.send(req)
}

package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/notice"
)

// Platforms of devices.
const (
	platformIOS     = "ios"
	platformAndroid = "android"
)

// sideBySide is how many devices of one person are pushed to at once.
const sideBySide = 8

// A notification is what a push says. Of the ids, 0 is none.
type notification struct {
	MessageID   int64
	Type        string
	Words       notice.Words
	Badge       int      // what is unread in the app's list
	Buttons     []string // what the app offers to do, without being opened
	TaskID      int64
	ResidenceID int64
	DocumentID  int64
	Thread      string // pushes of one thread are shown together
	Collapse    string // a phone shows only the last push of these; at most 64 bytes
	ExpiresAt   time.Time
}

// pushed is what became of a push to several devices.
type pushed struct {
	took []int64 // ids of the devices that it reached
	gone []int64 // ids of the devices that are none any more
	err  error   // a *failure of the others; nil when there are none
}

// A verdict is what became of a push to one device: it took the push unless it is gone or there is a failure.
type verdict struct {
	gone    bool
	failure *failure
}

// A pushService reaches the devices of a platform.
type pushService interface {
	push(ctx context.Context, n notification, d device) verdict
	close()
}

// A pusher hands pushes to the services that reach phones.
type pusher struct {
	services map[string]pushService // by platform; those that are set up
}

// newPusher reads keys and addresses, and asks nobody. Its error names variables, never what is in them.
func newPusher(cfg pushConfig) (*pusher, error) {
	p := &pusher{services: map[string]pushService{}}
	if cfg.APNs != (apnsConfig{URL: cfg.APNs.URL}) {
		service, err := newAPNs(cfg.APNs)
		if err != nil {
			return nil, err
		}
		p.services[platformIOS] = service
	}
	if cfg.FCM.Credentials != "" {
		service, err := newFCM(cfg.FCM)
		if err != nil {
			return nil, err
		}
		p.services[platformAndroid] = service
	}
	return p, nil
}

// close ends connections, once no push is under way.
func (p *pusher) close() {
	for _, service := range p.services {
		service.close()
	}
}

// push tells devices side by side. All of it ends by the deadline that ctx must have.
func (p *pusher) push(ctx context.Context, n notification, to []device) pushed {
	verdicts := make([]verdict, len(to))
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for i, d := range to {
		group.Go(func() error {
			verdicts[i] = p.pushTo(ctx, n, d)
			return nil
		})
	}
	_ = group.Wait() // each has its own verdict
	return summary(to, verdicts)
}

func (p *pusher) pushTo(ctx context.Context, n notification, d device) verdict {
	service, ok := p.services[d.Platform]
	if !ok {
		return verdict{failure: &failure{text: "pushes to " + d.Platform + " are not set up", permanent: true}}
	}
	return service.push(ctx, n, d)
}

// summary joins the verdicts on devices. Another try is worth it when it is for one of them, after the longest wait that any asks for.
func summary(to []device, verdicts []verdict) pushed {
	var all pushed
	joined := failure{permanent: true}
	var texts []string
	for i, v := range verdicts {
		switch {
		case v.gone:
			all.gone = append(all.gone, to[i].ID)
		case v.failure == nil:
			all.took = append(all.took, to[i].ID)
		default:
			texts = append(texts, v.failure.text)
			joined.permanent = joined.permanent && v.failure.permanent
			joined.inDoubt = joined.inDoubt || v.failure.inDoubt
			joined.wait = max(joined.wait, v.failure.wait)
		}
	}
	if len(texts) > 0 {
		slices.Sort(texts)
		joined.text = strings.Join(slices.Compact(texts), "; ")
		all.err = &joined
	}
	return all
}

package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

const (
	localDomain   = ".svc.cluster.local"
	brokerService = "broker-ingress"
)

// Inside returns a client for Services by their cluster-local names, which it looks up now and once. It keeps no connections.
func (c *Cluster) Inside(ctx context.Context, hosts ...string) (*http.Client, error) {
	addresses := map[string]string{}
	for _, host := range hosts {
		var err error
		if addresses[host], err = c.resolve(ctx, host); err != nil {
			return nil, err
		}
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(addresses[host], port))
	}
	return &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}, nil
}

// resolve returns the address of <service>.<namespace>.svc.cluster.local. This machine is the node, so that it reaches it.
func (c *Cluster) resolve(ctx context.Context, host string) (string, error) {
	for {
		name, namespace, ok := strings.Cut(strings.TrimSuffix(host, localDomain), ".")
		if !ok || !strings.HasSuffix(host, localDomain) {
			return "", fmt.Errorf("resolve %s: not the name of a Service", host)
		}
		var service corev1.Service
		if err := c.read(ctx, &service, "service", name, "-n", namespace); err != nil {
			return "", fmt.Errorf("resolve %s: %w", host, err)
		}
		if service.Spec.Type != corev1.ServiceTypeExternalName {
			return service.Spec.ClusterIP, nil
		}
		host = service.Spec.ExternalName
	}
}

// Tick has a schedule fire now: its event goes to the Broker, as at any of its ticks, and is taken when Tick returns.
func (c *Cluster) Tick(ctx context.Context, name string) error {
	for _, source := range c.Manifests.Schedules {
		if source.Name != name {
			continue
		}
		if source.Spec.Sink.Ref == nil {
			return errors.New("fire " + name + ": its sink is no Broker")
		}
		ip, err := c.resolve(ctx, brokerService+"."+eventing+localDomain)
		if err != nil {
			return fmt.Errorf("fire %s: %w", name, err)
		}
		scheduler, err := schedule.New(schedule.Options{
			// Its own ticks come from the cluster; this one's are a year apart.
			Sources: []schedule.Source{{
				Namespace: source.Namespace, Name: name, Schedule: "@yearly",
				ContentType: source.Spec.ContentType, Data: source.Spec.Data, Sink: source.Spec.Sink,
			}},
			Resolve: func(_ context.Context, ref broker.Ref) (string, error) {
				return "http://" + ip + "/" + ref.Namespace + "/" + ref.Name, nil
			},
			Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return fmt.Errorf("fire %s: %w", name, err)
		}
		return errors.Join(fire(ctx, scheduler, name), scheduler.Close(ctx))
	}
	return fmt.Errorf("fire %s: %w", name, schedule.ErrUnknown)
}

// fire sends a tick until the Broker takes it: for a moment after a change, its address may lead to where another pod is now.
func fire(ctx context.Context, scheduler *schedule.Scheduler, name string) error {
	const pause, patience = 200 * time.Millisecond, 20 * time.Second
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := scheduler.Fire(soon, name)
		if err == nil {
			return nil
		}
		select {
		case <-soon.Done():
			return err
		case <-time.After(pause):
		}
	}
}

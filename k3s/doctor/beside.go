package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A workload is a DaemonSet, a Deployment or a StatefulSet; which numbers it has depends on that.
type workload struct {
	Metadata meta
	Spec     struct {
		Replicas int
		Template struct{ Spec struct{ HostNetwork bool } }
	}
	Status struct{ ReadyReplicas, DesiredNumberScheduled, NumberReady int }
}

// beside: Traefik is there as we set it up, and so is what functions lean on, in all its parts.
func (p *Patient) beside(ctx context.Context) Examination {
	var e Examination
	var traefik list[workload]
	if err := p.read(ctx, &traefik, "daemonsets", "--namespace=kube-system", "--selector=app.kubernetes.io/name=traefik"); err != nil {
		return failed(err, unreachable)
	}
	const chart = "kubectl logs -n kube-system job/helm-install-traefik: Helm may refuse a value of k3s/traefik/config.yaml; docs/ingress.md"
	if len(traefik.Items) != 1 || !traefik.Items[0].Spec.Template.Spec.HostNetwork {
		e.Findings = append(e.Findings, Finding{"Traefik is not the DaemonSet on the hosts' network that k3s/traefik/config.yaml asks for", chart})
	}
	for _, t := range traefik.Items {
		if t.Status.NumberReady < t.Status.DesiredNumberScheduled {
			e.Findings = append(e.Findings, Finding{fmt.Sprintf("Traefik is ready on %d of %d nodes", t.Status.NumberReady, t.Status.DesiredNumberScheduled), "kubectl get pods -n kube-system -o wide"})
		}
	}
	seen := 0
	for _, in := range []string{"nats-io", "redis", "observability"} {
		const mend = "kubectl get pods -o wide -n %s; one that is Pending may wait for the disk of a node that is gone: docs/infrastructure.md, Runbook"
		var all list[workload]
		if err := p.read(ctx, &all, "statefulsets,deployments", "--namespace="+in); err != nil {
			return failed(err, unreachable)
		}
		if len(all.Items) == 0 {
			e.Findings = append(e.Findings, Finding{"nothing runs in " + in, "kubectl apply -k: docs/infrastructure.md"})
		}
		for _, w := range all.Items {
			seen++
			if w.Status.ReadyReplicas < w.Spec.Replicas {
				e.Findings = append(e.Findings, Finding{fmt.Sprintf("%s of %s has %d of %d pods ready", w.Metadata.Name, in, w.Status.ReadyReplicas, w.Spec.Replicas), fmt.Sprintf(mend, in)})
			}
		}
	}
	e.Looked = fmt.Sprintf("Traefik on every node, and %d more, in all their parts", seen)
	return e
}

// snapshots of etcd: K3s lists them, with where each is.
func (p *Patient) snapshots(ctx context.Context) Examination {
	const late = 13 * time.Hour // two of them, and an hour
	var all list[struct {
		Spec   struct{ Location string }
		Status struct {
			CreationTime time.Time
			ReadyToUse   *bool
		}
	}]
	if err := p.read(ctx, &all, "etcdsnapshotfiles.k3s.cattle.io"); err != nil {
		return failed(err, unreachable)
	}
	var newest time.Time
	for _, s := range all.Items {
		usable := s.Status.ReadyToUse == nil || *s.Status.ReadyToUse
		if usable && strings.HasPrefix(s.Spec.Location, "s3://") && s.Status.CreationTime.After(newest) {
			newest = s.Status.CreationTime
		}
	}
	const mend = "sudo k3s etcd-snapshot save, on a node, says what is wrong; docs/backups.md"
	switch ago := p.Now().Sub(newest); {
	case newest.IsZero():
		return Examination{Findings: []Finding{{"no snapshot of etcd is in the bucket", mend}}}
	case ago > late:
		return Examination{Findings: []Finding{{fmt.Sprintf("the newest snapshot of etcd in the bucket is %d hours old", int(ago.Hours())), mend}}}
	default:
		return Examination{Looked: fmt.Sprintf("the newest in the bucket is %d hours old", int(ago.Hours()))}
	}
}

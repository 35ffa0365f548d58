package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// A ward is what kubectl and programs answer: a cluster in which all is well, which tests change.
type ward struct {
	answers  map[string]string // of kubectl, by what stands behind get
	programs map[string]string
	missing  map[string]bool
	env      map[string]string
}

func certificate(t *testing.T, days int) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now.Add(time.Duration(days) * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func ready(name string) string {
	return `{"metadata": {"name": "` + name + `"}, "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Available", "status": "True"}]}}`
}

func node(name, version string) string {
	return `{"metadata": {"name": "` + name + `"}, "status": {"nodeInfo": {"kubeletVersion": "` + version + `"}, "conditions": [{"type": "Ready", "status": "True"}]}}`
}

func items(all ...string) string { return `{"items": [` + strings.Join(all, ", ") + `]}` }

const image = "registry.example.com/tasks@sha256:0123456789012345678901234567890123456789012345678901234567890123"

func pod(image string) string {
	return `{"metadata": {"name": "tasks-1"}, "spec": {"containers": [{"name": "user-container", "image": "` + image + `"}]}}`
}

const traefik = `{"metadata": {"name": "traefik"}, "spec": {"template": {"spec": {"hostNetwork": true}}}, "status": {"desiredNumberScheduled": 3, "numberReady": 3}}`

func stands(name string, wanted, ready int) string {
	return fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"replicas": %d}, "status": {"readyReplicas": %d}}`, name, wanted, ready)
}

func snapshot(location string, hours int) string {
	at := now.Add(-time.Duration(hours) * time.Hour).Format(time.RFC3339)
	return fmt.Sprintf(`{"spec": {"location": %q}, "status": {"creationTime": %q, "readyToUse": true}}`, location, at)
}

func well(t *testing.T) *ward {
	t.Helper()
	return &ward{
		answers: map[string]string{
			"nodes":                       items(node("a", "v1.34.10+k3s1"), node("b", "v1.34.10+k3s1"), node("c", "v1.34.10+k3s1")),
			"deployments knative-serving": items(ready("activator")), "deployments knative-eventing": items(ready("eventing-controller")),
			"configmap config-network": `{"data": {"ingress-class": "traefik.ingress.networking.knative.dev"}}`,
			"brokers":                  items(ready("default")), "triggers": items(ready("a"), ready("b")),
			"services":               items(`{"metadata": {"name": "tasks"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {"template": {"spec": {"containers": [{"image": "` + image + `"}]}}}}`),
			"pods":                   items(pod(image)),
			"daemonsets kube-system": items(traefik), "statefulsets,deployments nats-io": items(stands("nats", 3, 3)),
			"statefulsets,deployments redis": items(stands("redis", 1, 1)), "statefulsets,deployments observability": items(stands("grafana", 1, 1), stands("jaeger", 1, 1)),
			"etcdsnapshotfiles": items(snapshot("s3://etcd/a", 11), snapshot("file:///a", 1), snapshot("s3://etcd/b", 17)),
			"raw=/version":      `{"gitVersion": "v1.34.10+k3s1"}`,
			"namespaces": items(`{"metadata": {"name": "honeydue", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}`,
				`{"metadata": {"name": "kube-system", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}`, `{"metadata": {"name": "redis"}}`),
			"events":                    items(`{"reason": "CertificateExpirationOK", "message": "they are", "involvedObject": {"name": "a"}}`),
			"secret origin-certificate": `{"data": {"tls.crt": "` + certificate(t, 400) + `"}}`,
			"secret origin-pull-ca":     `{"data": {"ca.crt": "` + certificate(t, 31) + `"}}`,
		},
		programs: map[string]string{
			"go run":  "2026-03-01T113000Z       0.0 MiB  not whole: its list is missing\n2026-03-01T021700Z      61.2 MiB  whole\n",
			"kubectl": "clientVersion:\n  gitVersion: v1.34.1\n", "go": "go version go1.26.8 linux/amd64", "git": "git version 2.39.5", "make": "GNU Make 4.3",
			"jq": "jq-1.6", "ssh": "OpenSSH_9.2p1", "psql": "deliveries|20\ndigests|3000\noutbox|290\nreminders|600\nuploads|100\n",
		},
		missing: map[string]bool{}, env: map[string]string{"DATABASE_URL": "postgres://owner:a-password@db.example.com/honeydue"}, //nolint:gosec // nobody's
	}
}

func (w *ward) kubectl(_ context.Context, args ...string) ([]byte, error) {
	line := strings.Join(args, " ")
	switch {
	case line == "config current-context":
		return []byte("production\n"), nil
	case strings.HasPrefix(line, "get --raw=/readyz"):
		return []byte("ok"), nil
	case strings.HasPrefix(line, "get --raw=/version"):
		if answer := w.answers["raw=/version"]; answer != "" {
			return []byte(answer), nil
		}
		return nil, errors.New("kubectl: connection refused")
	}
	kind, _, _ := strings.Cut(args[3], ".")
	for _, further := range args[4:] {
		if namespace, ok := strings.CutPrefix(further, "--namespace="); ok && slices.Contains([]string{"deployments", "daemonsets", "statefulsets,deployments"}, kind) {
			kind += " " + namespace
		} else if !strings.HasPrefix(further, "--") {
			kind += " " + further
		}
	}
	answer, ok := w.answers[kind]
	switch {
	case !ok:
		return nil, errors.New("kubectl: the server doesn't have a resource type " + kind)
	case !json.Valid([]byte(answer)):
		return nil, errors.New(answer)
	}
	return []byte(answer), nil
}

func (w *ward) program(_ context.Context, name string, args ...string) ([]byte, error) {
	if w.missing[name] || w.missing[name+" "+args[0]] {
		return nil, errors.New("it is not installed")
	}
	if answer, ok := w.programs[name+" "+args[0]]; ok {
		return []byte(answer), nil
	}
	return []byte(w.programs[name]), nil
}

// examine returns the findings, with their subjects and mends.
func (w *ward) examine(t *testing.T) (found []string, skipped []string) {
	t.Helper()
	for _, e := range w.patient().Examine(t.Context()) {
		if e.Skipped != "" {
			skipped = append(skipped, e.Subject)
		}
		for _, f := range e.Findings {
			require.NotEmpty(t, f.Mend, f.What)
			require.NotContains(t, f.What+f.Mend, "a-password")
			found = append(found, e.Subject+": "+f.What)
		}
	}
	return found, skipped
}

func (w *ward) patient() *Patient {
	return &Patient{
		Kubectl: w.kubectl, Run: w.program, Getenv: func(name string) string { return w.env[name] }, Now: func() time.Time { return now },
		Nodes: 3, Version: "v1.34.10+k3s1", Go: "1.26.0",
	}
}

func TestAllIsWell(t *testing.T) {
	t.Parallel()
	w := well(t)
	found, skipped := w.examine(t)
	require.Empty(t, found)
	require.Equal(t, []string{"backups"}, skipped)
	delete(w.env, "DATABASE_URL")
	_, skipped = w.examine(t)
	require.Equal(t, []string{"schedules", "backups"}, skipped)
	w.env["S3_BUCKET"] = "backups"
	found, skipped = w.examine(t)
	require.Empty(t, found)
	require.Equal(t, []string{"schedules"}, skipped)
	require.Contains(t, w.patient().backups(t.Context()).Looked, "2026-03-01T021700Z", "not of the one that is not whole")
}

// Each thing that is wrong is found, and nothing else is.
func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(w *ward){
		"tools: go is 1.25.1, and go.work asks for 1.26.0":                                                 func(w *ward) { w.programs["go"] = "go version go1.25.1 linux/amd64" },
		"tools: kubectl is 1.20.4, and the cluster 1.34: more than one minor version apart":                func(w *ward) { w.programs["kubectl"] = "clientVersion:\n  gitVersion: v1.20.4\n" },
		"beside: Traefik is not the DaemonSet on the hosts' network that k3s/traefik/config.yaml asks for": func(w *ward) { w.answers["daemonsets kube-system"] = items() },
		"beside: Traefik is ready on 2 of 3 nodes": func(w *ward) {
			w.answers["daemonsets kube-system"] = items(strings.Replace(traefik, `"numberReady": 3`, `"numberReady": 2`, 1))
		},
		"beside: nats of nats-io has 2 of 3 pods ready": func(w *ward) { w.answers["statefulsets,deployments nats-io"] = items(stands("nats", 3, 2)) },
		"beside: nothing runs in redis":                 func(w *ward) { w.answers["statefulsets,deployments redis"] = items() },
		"etcd: no snapshot of etcd is in the bucket":    func(w *ward) { w.answers["etcdsnapshotfiles"] = items(snapshot("file:///a", 1)) },
		"etcd: the newest snapshot of etcd in the bucket is 14 hours old": func(w *ward) {
			w.answers["etcdsnapshotfiles"] = items(snapshot("s3://etcd/a", 14), strings.Replace(snapshot("s3://etcd/b", 1), "true", "false", 1))
		},
		"backups: backup list names no whole dump":        func(w *ward) { w.env["S3_BUCKET"] = "backups"; w.programs["go run"] = "" },
		"tools: jq does not run: it is not installed":     func(w *ward) { w.missing["jq"] = true },
		"nodes: there are 2 nodes, and cluster.env has 3": func(w *ward) { w.answers["nodes"] = items(node("a", "v1.34.10+k3s1"), node("b", "v1.34.10+k3s1")) },
		"nodes: node c runs v1.34.9+k3s1, and pins.lock has v1.34.10+k3s1": func(w *ward) {
			w.answers["nodes"] = strings.Replace(w.answers["nodes"], node("c", "v1.34.10+k3s1"), node("c", "v1.34.9+k3s1"), 1)
		},
		"nodes: node b is not ready: kubelet stopped": func(w *ward) {
			w.answers["nodes"] = strings.Replace(w.answers["nodes"], node("b", "v1.34.10+k3s1"), strings.Replace(node("b", "v1.34.10+k3s1"), `"status": "True"`, `"status": "Unknown", "message": "kubelet stopped"`, 1), 1)
		},
		"nodes: connection refused":                 func(w *ward) { w.answers["nodes"] = "connection refused" },
		"Knative: nothing runs in knative-eventing": func(w *ward) { w.answers["deployments knative-eventing"] = items() },
		"Knative: activator of knative-serving is not available: no replica": func(w *ward) {
			w.answers["deployments knative-serving"] = items(`{"metadata": {"name": "activator"}, "status": {"conditions": [{"type": "Available", "status": "False", "message": "no replica"}]}}`)
		},
		`Knative: Knative's ingress-class is "", not traefik.ingress.networking.knative.dev: no function is reached`: func(w *ward) { w.answers["configmap config-network"] = `{"data": {}}` },
		"Broker: there is no Broker: events wait in the outbox":                                                      func(w *ward) { delete(w.answers, "brokers") },
		"Broker: b is not ready: it says nothing of being Ready":                                                     func(w *ward) { w.answers["triggers"] = items(ready("a"), `{"metadata": {"name": "b"}}`) },
		"functions: there are no functions":                                                                          func(w *ward) { w.answers["services"] = items() },
		"images: pod tasks-1 runs registry.example.com/tasks:latest, which is no digest":                             func(w *ward) { w.answers["pods"] = items(pod("registry.example.com/tasks:latest")) },
		`Pod Security: namespace honeydue enforces "baseline", not restricted`: func(w *ward) {
			w.answers["namespaces"] = strings.Replace(w.answers["namespaces"], `"restricted"`, `"baseline"`, 1)
		},
		"Pod Security: namespace redis enforces nothing (privileged)": func(w *ward) {
			w.answers["namespaces"] = strings.Replace(w.answers["namespaces"], `"redis"`, `"redis", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}`, 1)
		},
		"schedules: schedule outbox came last 15m1s ago":           func(w *ward) { w.programs["psql"] = strings.Replace(w.programs["psql"], "outbox|290", "outbox|901", 1) },
		"schedules: schedule digests never came":                   func(w *ward) { w.programs["psql"] = strings.Replace(w.programs["psql"], "digests|3000\n", "", 1) },
		"schedules: the database does not say when schedules came": func(w *ward) { w.missing["psql --no-psqlrc"] = true },
		"certificates: origin-certificate ends in 29 days": func(w *ward) {
			w.answers["secret origin-certificate"] = `{"data": {"tls.crt": "` + certificate(t, 29) + `"}}`
		},
		"certificates: node b: restart it": func(w *ward) {
			event := `{"reason": "CertificateExpirationWarning", "message": "restart it", "involvedObject": {"name": "b"}}`
			w.answers["events"] = items(event, event)
		},
		"certificates: node c: begin planning": func(w *ward) {
			w.answers["events"] = items(`{"reason": "CACertificateExpirationWarning", "message": "begin planning", "involvedObject": {"name": "c"}}`)
		},
		"certificates: Secret origin-pull-ca of kube-system: holds no PEM":               func(w *ward) { w.answers["secret origin-pull-ca"] = `{"data": {"ca.crt": "bm9uZQ=="}}` },
		"backups: there is no whole dump of the last day, or the bucket does not answer": func(w *ward) { w.env["S3_BUCKET"] = "backups"; w.missing["go"] = true; w.programs["go"] = "" },
	} {
		w := well(t)
		change(w)
		found, _ := w.examine(t)
		if w.missing["go"] {
			require.Equal(t, []string{"tools: go does not run: it is not installed", want}, found)
			continue
		}
		require.Equal(t, []string{want}, found)
	}
}

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/observability"
)

// values are those of k3s/traefik/config.yaml that say how Traefik treats a request.
type values struct {
	Ports struct {
		Websecure struct {
			ForwardedHeaders struct{ TrustedIPs []string }
			Transport        struct{ RespondingTimeouts map[string]string }
		}
	}
	Metrics struct {
		Prometheus struct{ AddRoutersLabels bool }
	}
	Logs struct {
		Access struct {
			Format  string
			Filters struct{ StatusCodes string }
			Fields  struct{ General, Headers fields }
		}
	}
	Providers struct {
		KubernetesCRD struct {
			AllowCrossNamespace bool
			Namespaces          []string
		}
	}
	AdditionalArguments []string
}

type fields struct {
	DefaultMode string
	Names       map[string]string
}

func readValues(t *testing.T) (v values) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "k3s", "traefik", "config.yaml"))
	require.NoError(t, err)
	var config struct {
		Spec struct{ ValuesContent string }
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	require.NoError(t, yaml.Unmarshal([]byte(config.Spec.ValuesContent), &v))
	require.NotEmpty(t, v.Ports.Websecure.ForwardedHeaders.TrustedIPs)
	require.NotEmpty(t, v.Ports.Websecure.Transport.RespondingTimeouts)
	require.Equal(t, "drop", v.Logs.Access.Fields.General.DefaultMode)
	require.NotEmpty(t, v.Providers.KubernetesCRD.Namespaces)
	return v
}

// arguments are what the chart makes of the values.
func (v values) arguments(secure, private, figures string) []string {
	access := v.Logs.Access
	all := []string{
		"--entrypoints.websecure.address=" + secure, "--entrypoints.websecure.http.tls=true",
		"--entrypoints.websecure.forwardedheaders.trustedips=" + strings.Join(v.Ports.Websecure.ForwardedHeaders.TrustedIPs, ","),
		"--entrypoints.private.address=" + private, "--entrypoints.metrics.address=" + figures, "--metrics.prometheus.entrypoint=metrics",
		fmt.Sprintf("--metrics.prometheus.addrouterslabels=%t", v.Metrics.Prometheus.AddRoutersLabels),
		"--accesslog=true", "--accesslog.format=" + access.Format, "--accesslog.filters.statuscodes=" + access.Filters.StatusCodes,
		"--accesslog.fields.defaultmode=" + access.Fields.General.DefaultMode, "--accesslog.fields.headers.defaultmode=" + access.Fields.Headers.DefaultMode,
		fmt.Sprintf("--providers.kubernetescrd.allowcrossnamespace=%t", v.Providers.KubernetesCRD.AllowCrossNamespace),
		"--providers.kubernetescrd.namespaces=" + strings.Join(v.Providers.KubernetesCRD.Namespaces, ","), "--experimental.knative=true",
	}
	for name, timeout := range v.Ports.Websecure.Transport.RespondingTimeouts {
		all = append(all, "--entrypoints.websecure.transport.respondingtimeouts."+name+"="+timeout)
	}
	for name, mode := range access.Fields.General.Names {
		all = append(all, "--accesslog.fields.names."+name+"="+mode)
	}
	for name, mode := range access.Fields.Headers.Names {
		all = append(all, "--accesslog.fields.headers.names."+name+"="+mode)
	}
	return append(all, v.AdditionalArguments...)
}

// lines are what a program writes, to be read while it runs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startTraefik runs the cluster's own program once more, on loopback, with what it may ask of the cluster.
func startTraefik(ctx context.Context, t *testing.T, c *cluster.Cluster, args []string) (said *lines) {
	t.Helper()
	program, err := c.Program(ctx, "kube-system", "app=traefik")
	require.NoError(t, err)
	token, err := c.Kubectl(ctx, "", "create", "token", "traefik", "-n", "kube-system", "--duration=1h")
	require.NoError(t, err)
	out, err := c.Kubectl(ctx, "", "config", "view", "--raw", "--minify", "--flatten", "-o", "json")
	require.NoError(t, err)
	var config struct {
		Clusters []struct {
			Cluster struct {
				Server string
				CA     string `json:"certificate-authority-data"`
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &config))
	require.Len(t, config.Clusters, 1)
	authority, err := base64.StdEncoding.DecodeString(config.Clusters[0].Cluster.CA)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.WriteFile(path, authority, 0o600))
	for _, provider := range []string{"kubernetescrd", "knative"} {
		args = append(args, "--providers."+provider+".endpoint="+config.Clusters[0].Cluster.Server,
			"--providers."+provider+".token="+strings.TrimSpace(token), "--providers."+provider+".certauthfilepath="+path)
	}
	said = &lines{}
	running, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(running, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return said
}

// A pair is a certificate with its key.
type pair struct {
	leaf *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate that by has signed; without by it is an authority.
func issue(t *testing.T, by *pair, usage x509.ExtKeyUsage, names ...string) *pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "of a test"}, DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage}, BasicConstraintsValid: true,
	}
	signer := by
	if by == nil {
		template.IsCA, template.KeyUsage, template.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		signer = &pair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.leaf, &key.PublicKey, signer.key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &pair{leaf, key}
}

// files writes both as PEM, and returns where.
func (p *pair) files(t *testing.T) (certificate, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	require.NoError(t, err)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "ca.crt"), filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.leaf.Raw}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return certificate, key
}

func (p *pair) shown() []tls.Certificate {
	return []tls.Certificate{{Certificate: [][]byte{p.leaf.Raw}, PrivateKey: p.key}}
}

// secured puts production's certificates and public routes onto the cluster, where nobody but a Traefik with that entry point serves them.
func secured(ctx context.Context, t *testing.T, c *cluster.Cluster, origin, authority *pair) {
	t.Helper()
	certificate, key := origin.files(t)
	ca, _ := authority.files(t)
	tlsFile := filepath.Join("..", "..", "k3s", "traefik", "tls.yaml")
	production, err := c.Kubectl(ctx, "", "kustomize", filepath.Join("..", "..", "knative", "overlays", "production"))
	require.NoError(t, err)
	var routes []string
	for document := range strings.SplitSeq(production, "\n---\n") {
		if strings.Contains(document, "kind: IngressRoute\n") {
			require.Contains(t, document, "- websecure\n")
			routes = append(routes, regexp.MustCompile(`(?m)^(  name: .+)$`).ReplaceAllString(document, "$1-secure"))
		}
	}
	require.NotEmpty(t, routes)
	manifest := strings.Join(routes, "\n---\n")
	undo(t, func(ctx context.Context) {
		for _, args := range [][]string{
			{"delete", "--ignore-not-found", "-f", "-"}, {"delete", "--ignore-not-found", "-f", tlsFile},
			{"delete", "--ignore-not-found", "-n", "kube-system", "secret", "origin-certificate", "origin-pull-ca"},
		} {
			_, err := c.Kubectl(ctx, manifest, args...)
			require.NoError(t, err)
		}
	})
	for _, args := range [][]string{
		{"create", "secret", "tls", "origin-certificate", "-n", "kube-system", "--cert=" + certificate, "--key=" + key},
		{"create", "secret", "generic", "origin-pull-ca", "-n", "kube-system", "--from-file=ca.crt=" + ca},
		{"apply", "-f", tlsFile}, {"apply", "-f", "-"},
	} {
		_, err := c.Kubectl(ctx, manifest, args...)
		require.NoError(t, err)
	}
}

// request sends one to an address, by TLS where there is a config.
func request(ctx context.Context, at, path string, config *tls.Config) (answer, error) {
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at)
	}
	scheme, host := "http", "site.honeydue.svc.cluster.local"
	if config != nil {
		scheme, host = "https", cluster.PublicHost
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}, err
}

// TestTraefikAsInProduction: a Traefik that runs as k3s/traefik says answers the edge by TLS and nobody else, logs nothing of what it was
// asked, and counts by function what the rule of the ingress asks for, also of one that does not start.
func TestTraefikAsInProduction(t *testing.T) {
	ctx, c := within(t, 4*time.Minute)
	authority, stranger := issue(t, nil, 0), issue(t, nil, 0)
	origin := issue(t, authority, x509.ExtKeyUsageServerAuth, cluster.PublicHost)
	edge, other := issue(t, authority, x509.ExtKeyUsageClientAuth), issue(t, stranger, x509.ExtKeyUsageClientAuth)
	secured(ctx, t, c, origin, authority)
	var at [3]string
	for i := range at {
		port, err := ports.Free(ctx)
		require.NoError(t, err)
		at[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	secure, private, figures := at[0], at[1], at[2]
	said := startTraefik(ctx, t, c, readValues(t).arguments(secure, private, figures))

	config := func(change func(*tls.Config)) *tls.Config {
		roots := x509.NewCertPool()
		roots.AddCert(authority.leaf)
		of := &tls.Config{RootCAs: roots, ServerName: cluster.PublicHost, Certificates: edge.shown(), MinVersion: tls.VersionTLS12}
		change(of)
		return of
	}
	var healthy answer
	require.Eventually(t, func() (ok bool) {
		var err error
		healthy, err = request(ctx, secure, "/api/health/", config(func(*tls.Config) {}))
		return err == nil && healthy.status == http.StatusOK
	}, time.Minute, 250*time.Millisecond, "the edge is not answered")
	require.NotEmpty(t, healthy.header.Get("Strict-Transport-Security"))
	_, err := request(ctx, secure, "/api/health/", config(func(of *tls.Config) { of.MaxVersion = tls.VersionTLS12 }))
	require.NoError(t, err)
	for who, refused := range map[string]struct {
		change func(*tls.Config)
		says   string
	}{
		"nobody's certificate":     {func(of *tls.Config) { of.Certificates = nil }, "certificate required"},
		"another authority's":      {func(of *tls.Config) { of.Certificates = other.shown() }, "certificate"},
		"a server's":               {func(of *tls.Config) { of.Certificates = origin.shown() }, "certificate"},
		"a name that nobody has":   {func(of *tls.Config) { of.ServerName = "other.example.com" }, "unrecognized name"},
		"no name":                  {func(of *tls.Config) { of.ServerName = "127.0.0.1" }, "unrecognized name"},
		"TLS of fifteen years ago": {func(of *tls.Config) { of.MinVersion, of.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "protocol version"},
	} {
		_, err := request(ctx, secure, "/api/health/", config(refused.change))
		require.ErrorContains(t, err, refused.says, who)
	}

	// A link of a mail has its token in the query.
	missing, err := request(ctx, secure, "/nothing-like-it?token=a-token", config(func(*tls.Config) {}))
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, missing.status)
	require.Eventually(t, func() bool { return strings.Contains(said.String(), `"DownstreamStatus":404`) }, 20*time.Second, 50*time.Millisecond)
	require.NotContains(t, said.String(), "nothing-like-it")
	require.NotContains(t, said.String(), "a-token")
	require.NotContains(t, said.String(), "127.0.0.1")
	require.NotContains(t, said.String(), `"DownstreamStatus":200`)

	require.Eventually(t, func() bool {
		inside, err := request(ctx, private, "/api/health/", nil)
		return err == nil && inside.status == http.StatusOK
	}, time.Minute, 250*time.Millisecond, "the private entry point has no route")
	alerts, err := observability.Alerts(filepath.Join("..", ".."))
	require.NoError(t, err)
	asked := ""
	for _, a := range alerts {
		if found := regexp.MustCompile(`traefik_service_requests_total\{service=~"([^"]+)"\}`).FindStringSubmatch(a.Expr); found != nil {
			asked = found[1]
		}
	}
	require.NotEmpty(t, asked, "no rule asks what Traefik counts")
	counted := func(code string) string {
		told, err := request(ctx, figures, "/metrics", nil)
		require.NoError(t, err)
		return regexp.MustCompile(`(?m)^traefik_service_requests_total\{code="` + code + `",.*service="` + asked + `"\} [1-9]`).FindString(told.body)
	}
	require.Contains(t, counted("200"), `service="honeydue-site-`)
	require.Empty(t, counted("5.."))

	// A function whose pod finds no place, and so never starts, tells nothing of itself.
	require.NoError(t, c.AwaitZero(ctx, "site"))
	node, err := c.Kubectl(ctx, "", "get", "nodes", "-o", "name")
	require.NoError(t, err)
	node = strings.TrimSpace(node)
	undo(t, func(ctx context.Context) {
		_, err := c.Kubectl(ctx, "", "uncordon", node)
		require.NoError(t, err)
	})
	_, err = c.Kubectl(ctx, "", "cordon", node)
	require.NoError(t, err)
	late, err := request(ctx, private, "/api/health/", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusGatewayTimeout, late.status, late.body)
	require.Contains(t, counted("504"), `service="honeydue-site-`)
}

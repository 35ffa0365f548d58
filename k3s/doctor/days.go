package doctor

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// schedules: that each came lately is in the database, in rows that ticks themselves write.
func (p *Patient) schedules(ctx context.Context) Examination {
	const late = 3 // times what lies between two ticks
	if p.Getenv("DATABASE_URL") == "" {
		return Examination{Skipped: "set DATABASE_URL to the owner's direct address, and this looks when each schedule came last"}
	}
	const query = `SELECT name, round(extract(epoch FROM now() - runs[1])) FROM shared_schedule WHERE runs[1] IS NOT NULL ORDER BY name`
	out, err := p.Run(ctx, "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command="+query, p.Getenv("DATABASE_URL"))
	if err != nil {
		return failed(errors.New("the database does not say when schedules came"), "is psql installed, and DATABASE_URL right?")
	}
	apart := map[string]time.Duration{"outbox": 5 * time.Minute, "deliveries": 5 * time.Minute, "reminders": 15 * time.Minute, "digests": time.Hour, "uploads": time.Hour} // knative/schedules
	var e Examination
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), "|")
		seconds, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		seen[name] = true
		if ago := time.Duration(seconds) * time.Second; apart[name] > 0 && ago > late*apart[name] {
			e.Findings = append(e.Findings, Finding{fmt.Sprintf("schedule %s came last %s ago", name, ago), "kubectl get pingsources -n honeydue; the function's log"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(apart)) {
		if !seen[name] {
			e.Findings = append(e.Findings, Finding{"schedule " + name + " never came", "kubectl get pingsources -n honeydue; make deploy"})
		}
	}
	e.Looked = fmt.Sprintf("%d came as they should", len(seen))
	return e
}

// certificates: what ends within a month is said.
func (p *Patient) certificates(ctx context.Context) Examination {
	const soon = 30 * 24 * time.Hour
	var e Examination
	var said []string
	for _, s := range []struct{ name, key, mend string }{
		{"origin-certificate", "tls.crt", "make another at Cloudflare's origin authority: docs/cloudflare.md"},
		{"origin-pull-ca", "ca.crt", "make another authority and client certificate: docs/cloudflare.md"},
	} {
		var secret struct{ Data map[string]string }
		if err := p.read(ctx, &secret, "secret", s.name, "--namespace=kube-system", "--ignore-not-found"); err != nil {
			return failed(err, unreachable)
		}
		ends, err := ending(secret.Data[s.key])
		switch left := ends.Sub(p.Now()); {
		case err != nil:
			e.Findings = append(e.Findings, Finding{fmt.Sprintf("Secret %s of kube-system: %v", s.name, err), s.mend})
		case left < soon:
			e.Findings = append(e.Findings, Finding{fmt.Sprintf("%s ends in %d days", s.name, int(left.Hours()/24)), s.mend})
		default:
			said = append(said, fmt.Sprintf("%s: %d days", s.name, int(left.Hours()/24)))
		}
	}
	expiring, err := p.nodeCertificates(ctx)
	if err != nil {
		return failed(err, unreachable)
	}
	e.Findings = append(e.Findings, expiring...)
	e.Looked = strings.Join(append(said, "those of the nodes: K3s says nothing"), ", ")
	return e
}

// nodeCertificates are the nodes of which K3s says that its own certificates end within 120 days, or its authorities within a year. It
// looks every half hour, and Kubernetes keeps what it says for one.
func (p *Patient) nodeCertificates(ctx context.Context) (found []Finding, err error) {
	mends := map[string]string{
		"CertificateExpirationWarning":   "systemctl restart k3s on it makes new ones: docs/runbook.md",
		"CACertificateExpirationWarning": "k3s certificate rotate-ca; read K3s's documentation of it first",
	}
	var all list[struct {
		Reason, Message string
		InvolvedObject  struct{ Name string }
	}]
	if err := p.read(ctx, &all, "events", "--namespace=default"); err != nil {
		return nil, err
	}
	for _, event := range all.Items {
		f := Finding{fmt.Sprintf("node %s: %s", event.InvolvedObject.Name, event.Message), mends[event.Reason]}
		if f.Mend != "" && !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	return found, nil
}

// ending is when the first certificate of a Secret's value ends.
func ending(value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, errors.New("is not there, or has no certificate")
	}
	text, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return time.Time{}, errors.New("cannot be decoded")
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return time.Time{}, errors.New("holds no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, errors.New("holds no certificate")
	}
	return certificate.NotAfter, nil
}

// backups asks the command that makes them.
func (p *Patient) backups(ctx context.Context) Examination {
	if p.Getenv("S3_BUCKET") == "" {
		return Examination{Skipped: "set S3_… for the bucket of backups, and this looks how old the newest is"}
	}
	out, err := p.Run(ctx, "go", "run", "./functions/backup", "list")
	if err != nil {
		return failed(errors.New("there is no whole dump of the last day, or the bucket does not answer"), "go run ./functions/backup list says which; docs/backups.md")
	}
	for line := range strings.Lines(string(out)) { // the newest first, and among them some that are not whole
		if name, rest, ok := strings.Cut(line, " "); ok && strings.HasSuffix(strings.TrimSpace(rest), "  whole") {
			return Examination{Looked: "the newest whole one is of " + name}
		}
	}
	return failed(errors.New("backup list names no whole dump"), "go run ./functions/backup list; docs/backups.md")
}

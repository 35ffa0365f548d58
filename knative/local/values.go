package local

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/shared/devserver"
)

// values stands for the ConfigMaps and Secrets of a cluster: the value of each "<object>/<key>".
type values map[string]string

// localValues is what the manifests' references mean on this machine.
func localValues(m *knative.Manifests, s *System, codeKey, adminKey string) values {
	v := values{
		"honeydue/API_URL":                             s.URL,
		"honeydue/DATABASE_EXEC_MODE":                  "exec",
		"honeydue/K_SINK":                              s.bus.url(),
		"honeydue/MAIL_FROM":                           "honeyDue <hello@myhoneydue.com>",
		"honeydue/PUBLIC_URL":                          s.URL,
		"honeydue/S3_BUCKET":                           bucket,
		"honeydue/S3_ENDPOINT":                         s.S3.URL(),
		"honeydue/S3_REGION":                           devserver.Region,
		"honeydue/TRUSTED_PROXIES":                     "127.0.0.0/8,::1/128",
		"honeydue/UPLOADS_METHOD":                      "post",
		"honeydue-admin/ADMIN_KEY":                     adminKey,
		"honeydue/OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": s.URL + metricsPath,
		"honeydue-codes/CODE_KEY":                      codeKey,
		"honeydue-migrate/DATABASE_URL":                s.Postgres.URL(devserver.Owner, database),
		"honeydue-redis/REDIS_URL":                     s.Redis.URL(0),
		"honeydue-s3/S3_ACCESS_KEY":                    s.S3.AccessKey(),
		"honeydue-s3/S3_SECRET_KEY":                    s.S3.SecretKey(),
		"honeydue-smtp/SMTP_URL":                       s.mailbox.URL(),
	}
	for name, value := range s.pushes.Environment() {
		object := "honeydue-push/"
		if strings.HasSuffix(name, "_URL") {
			object = "honeydue/"
		}
		v[object+name] = value
	}
	for _, f := range m.Functions {
		v["honeydue-"+f.Name+"/DATABASE_URL"] = s.PgBouncer.URL("honeydue_"+f.Name, database)
	}
	return v
}

// environment fills in a container's environment.
func (v values) environment(env []corev1.EnvVar) ([]string, error) {
	var filled []string
	for _, e := range env {
		if e.ValueFrom == nil {
			filled = append(filled, e.Name+"="+e.Value)
			continue
		}
		var object, key string
		var optional *bool
		switch from := e.ValueFrom; {
		case from.ConfigMapKeyRef != nil:
			object, key, optional = from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional
		case from.SecretKeyRef != nil:
			object, key, optional = from.SecretKeyRef.Name, from.SecretKeyRef.Key, from.SecretKeyRef.Optional
		default:
			return nil, fmt.Errorf("environment variable %s: comes neither from a ConfigMap nor from a Secret", e.Name)
		}
		value, ok := v[object+"/"+key]
		switch {
		case ok:
			filled = append(filled, e.Name+"="+value)
		case optional == nil || !*optional:
			return nil, fmt.Errorf("environment variable %s: nothing here stands for key %s of %s", e.Name, key, object)
		}
	}
	return filled, nil
}

// adminFile is where `make admin` reads how to reach the database of this system, in the form of a file of Secrets.
const adminFile = "admin.env"

// writeAdminFile keeps what `make admin` needs of values.
func writeAdminFile(dir, panel string, v values) error {
	text := "honeydue-admin/DATABASE_URL=" + v["honeydue-admin/DATABASE_URL"] + "\nADMIN_URL=" + panel + "\n"
	if err := os.WriteFile(filepath.Join(dir, adminFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", adminFile, err)
	}
	return nil
}

// secretFile returns the random value that a file keeps, 32 bytes in hexadecimal, made on first use.
func secretFile(path string) (string, error) {
	content, err := os.ReadFile(filepath.Clean(path))
	if err == nil {
		return string(content), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read secret: %w", err)
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	secret := hex.EncodeToString(random)
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		return "", fmt.Errorf("write secret: %w", err)
	}
	return secret, nil
}

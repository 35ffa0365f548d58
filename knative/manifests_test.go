package knative_test

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/apis"

	"github.com/honeydue/backend/knative"
)

func read(t *testing.T) *knative.Manifests {
	t.Helper()
	m, err := knative.Read()
	require.NoError(t, err)
	return m
}

// Knative's own defaulting and validation must find nothing, not even something to warn of.
func TestServicesAreValid(t *testing.T) {
	t.Parallel()
	for _, f := range read(t).Functions {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			service := f.Service.DeepCopy()
			// ko puts a digest in the place of its own reference before a cluster sees it.
			service.Spec.Template.Spec.Containers[0].Image = "registry.example/" + f.Name + "@sha256:" + strings.Repeat("0", 64)
			ctx := apis.WithinCreate(context.Background())
			service.SetDefaults(ctx)
			problems := service.Validate(ctx)
			require.Empty(t, problems.Filter(apis.ErrorLevel).Error())
			require.Empty(t, problems.Filter(apis.WarningLevel).Error())
		})
	}
}

func TestServicesKeepTheHouseRules(t *testing.T) {
	t.Parallel()
	for _, f := range read(t).Functions {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "cluster-local", f.Service.Labels["networking.knative.dev/visibility"])
			require.Positive(t, f.MaxScale)
			require.GreaterOrEqual(t, f.MaxScale, f.MinScale)
			pod := f.Service.Spec.Template.Spec
			requireHardened(t, pod.PodSpec)
			c := pod.Containers[0]
			require.Len(t, c.Ports, 1)
			for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
				require.NotNil(t, probe)
				require.Equal(t, "/healthz", probe.HTTPGet.Path)
			}
			require.Zero(t, c.ReadinessProbe.PeriodSeconds, "without a period the sidecar asks every 50 ms")
			require.GreaterOrEqual(t, c.LivenessProbe.PeriodSeconds*c.LivenessProbe.FailureThreshold, int32(30))
			for _, trigger := range f.Triggers {
				d := trigger.Spec.Delivery
				require.NotNil(t, d, trigger.Name)
				require.Positive(t, d.Retry, trigger.Name)
				require.NotEmpty(t, d.BackoffPolicy, trigger.Name)
				require.NotEmpty(t, d.BackoffDelay, trigger.Name)
				require.NotEmpty(t, d.Timeout, trigger.Name)
			}
			require.NotZero(t, len(f.Hosts)+len(f.Paths)+len(f.Triggers), "nothing wakes it")
			if len(f.Triggers) > 0 {
				require.Empty(t, f.Hosts, "events come to its /, which no one else may reach")
				require.NotContains(t, f.Paths, "/")
			}
		})
	}
}

func TestMigrateKeepsTheHouseRules(t *testing.T) {
	t.Parallel()
	job := read(t).Migrate.Job
	require.NotNil(t, job.Spec.ActiveDeadlineSeconds)
	require.NotNil(t, job.Spec.BackoffLimit)
	require.Equal(t, corev1.RestartPolicyNever, job.Spec.Template.Spec.RestartPolicy)
	requireHardened(t, job.Spec.Template.Spec)
}

func requireHardened(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	require.NotNil(t, pod.AutomountServiceAccountToken)
	require.False(t, *pod.AutomountServiceAccountToken)
	require.NotNil(t, pod.EnableServiceLinks)
	require.False(t, *pod.EnableServiceLinks)
	c := pod.Containers[0]
	require.False(t, c.Resources.Requests.Cpu().IsZero())
	require.False(t, c.Resources.Requests.Memory().IsZero())
	require.False(t, c.Resources.Limits.Memory().IsZero())
	s := c.SecurityContext
	require.NotNil(t, s)
	require.True(t, *s.RunAsNonRoot)
	require.True(t, *s.ReadOnlyRootFilesystem)
	require.False(t, *s.AllowPrivilegeEscalation)
	require.Equal(t, []corev1.Capability{"ALL"}, s.Capabilities.Drop)
	require.Empty(t, s.Capabilities.Add)
	require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, s.SeccompProfile.Type)
	for _, env := range c.Env {
		if strings.HasSuffix(env.Name, "_KEY") || strings.HasSuffix(env.Name, "_PASSWORD") ||
			env.Name == "DATABASE_URL" || env.Name == "REDIS_URL" || env.Name == "SMTP_URL" || env.Name == "FCM_CREDENTIALS" {
			require.NotNil(t, env.ValueFrom, env.Name)
			require.NotNil(t, env.ValueFrom.SecretKeyRef, "%s comes from a Secret", env.Name)
		}
	}
}

// Every program has a manifest and every manifest a program: one without the other has been forgotten before. Commands
// backup and bucket are no functions.
func TestFunctionsAndManifestsMatch(t *testing.T) {
	t.Parallel()
	m := read(t)
	want := []string{m.Migrate.Name, "backup", "bucket"}
	for _, f := range m.Functions {
		want = append(want, f.Name)
		require.Equal(t, f.Name, path.Base(f.Package))
	}
	mains, err := filepath.Glob(filepath.Join("..", "functions", "*", "main.go"))
	require.NoError(t, err)
	var got []string
	for _, main := range mains {
		got = append(got, filepath.Base(filepath.Dir(main)))
	}
	require.ElementsMatch(t, want, got)
}

// An ignore pattern without its slash once hid source folders: what is embedded is what lies in the folder.
func TestNothingIsHidden(t *testing.T) {
	t.Parallel()
	_, err := knative.Load(os.DirFS("."))
	require.NoError(t, err)
	for _, f := range read(t).Functions {
		require.FileExists(t, filepath.Join(f.Name, "service.yaml"))
	}
}

func TestWhatIsPublic(t *testing.T) {
	t.Parallel()
	paths := map[string][]string{}
	for _, f := range read(t).Functions {
		paths[f.Name] = slices.Concat(f.Hosts, f.Paths)
	}
	require.Equal(t, map[string][]string{
		"admin":         {"admin.myhoneydue.com", "/api/admin"},
		"auth":          {"/api/auth", "/api/notifications"},
		"residences":    {"/api/residences", "/api/contractors"},
		"tasks":         {"/api/tasks", "/api/task-completions", "/api/lookups"},
		"site":          {"myhoneydue.com", "/api/health", "/api/openapi.json", "/api/docs"},
		"uploads":       {"/api/uploads", "/api/media", "/api/documents"},
		"media":         nil,
		"notifications": nil,
		"sweeper":       nil,
	}, paths)
}

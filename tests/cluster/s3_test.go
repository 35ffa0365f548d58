package cluster

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
)

// TestS3IsWhereTheSettingsSay: pods and phones find the server, and sign for its region.
func TestS3IsWhereTheSettingsSay(t *testing.T) {
	t.Parallel()
	root, err := workspace(t.Context())
	require.NoError(t, err)
	settings, err := readSettings(filepath.Join(root, "knative", "overlays", "cluster", "honeydue.env"))
	require.NoError(t, err)
	require.Equal(t, devserver.Region, settings["S3_REGION"])
	require.NotEmpty(t, settings["S3_BUCKET"])
	endpoint, err := url.Parse(settings["S3_ENDPOINT"])
	require.NoError(t, err)
	require.NotEmpty(t, endpoint.Port())

	c := &Cluster{root: root, dir: t.TempDir(), Environment: Environment{Host: netip.MustParseAddr("127.0.0.1")}}
	require.ErrorContains(t, c.startS3(t.Context(), devserver.Options{Dir: c.dir, Host: "127.0.0.1"}), "is not CLUSTER_HOST_ADDRESS")
}

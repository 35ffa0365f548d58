package authn_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
)

func TestZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12"} {
		zone, err := authn.Zone(name)
		require.NoError(t, err, name)
		require.Equal(t, name, zone.String())
	}
	for _, name := range []string{
		"", "Local", "localtime", "CEST/Berlin", "../zoneinfo/UTC", "/etc/localtime", "Europe/", "Europe\\Berlin", " UTC", "UTC\x00",
		"Europe//Berlin", "Europe/./Berlin", "./UTC", "Europe/.///./Berlin", strings.Repeat("x", 65),
	} {
		_, err := authn.Zone(name)
		require.EqualError(t, err, "not an IANA time zone", name)
	}
}

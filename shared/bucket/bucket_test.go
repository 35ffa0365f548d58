package bucket

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

func config(at *devtest.Bucket) Config {
	return Config{
		Endpoint: at.Endpoint, Region: at.Region, Name: at.Name, AccessKey: at.AccessKey, SecretKey: at.SecretKey,
		Timeout: 20 * time.Second, // a busy machine keeps it
	}
}

func openBucket(t *testing.T, cfg Config) *Bucket {
	t.Helper()
	b, err := Open(cfg)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

// onEach runs a test on a bucket as S3 has it, and on one as Backblaze B2 has it.
func onEach(t *testing.T, test func(t *testing.T, b *Bucket)) {
	t.Helper()
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		test(t, openBucket(t, config(devtest.NewBucket(t))))
	})
	t.Run("B2", func(t *testing.T) {
		t.Parallel()
		test(t, openBucket(t, config(devtest.BehaveLikeB2(t, devtest.NewBucket(t)))))
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	good := Config{Endpoint: "https://s3.example.com", Region: "eu", Name: "homes", AccessKey: "id", SecretKey: "secret"}
	b, err := Open(good)
	require.NoError(t, err)
	require.Equal(t, Post, b.method)
	require.Equal(t, 3*time.Second, b.timeout)
	for name, change := range map[string]func(*Config){
		"no scheme":     func(c *Config) { c.Endpoint = "s3.example.com" },
		"another":       func(c *Config) { c.Endpoint = "ftp://s3.example.com" },
		"a path":        func(c *Config) { c.Endpoint = "https://s3.example.com/homes" },
		"a password":    func(c *Config) { c.Endpoint = "https://id:secret@s3.example.com" },
		"a bad port":    func(c *Config) { c.Endpoint = "https://s3.example.com:secret" },
		"no host":       func(c *Config) { c.Endpoint = "https://" },
		"without any":   func(c *Config) { c.Endpoint = "" },
		"without where": func(c *Config) { c.Region = "" },
	} {
		bad := good
		change(&bad)
		_, err := Open(bad)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}

func TestMethod(t *testing.T) {
	t.Parallel()
	var m Method
	require.NoError(t, m.Decode("put"))
	require.Equal(t, Put, m)
	require.NoError(t, m.Decode("post"))
	require.Equal(t, Post, m)
	require.EqualError(t, m.Decode("PATCH"), "neither post nor put")
}

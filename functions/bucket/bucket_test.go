package main

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3's own checksum of a request
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

// asCommand makes the test binary the command itself, with an environment of its own.
const asCommand = "HONEYDUE_TEST_AS_BUCKET"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(devtest.Main(m))
}

// call runs the command on a bucket and returns its exit code and what it printed.
func call(t *testing.T, at *devtest.Bucket, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append([]string{
		asCommand + "=yes", "S3_TIMEOUT=20s", "S3_ENDPOINT=" + at.Endpoint, "S3_REGION=" + at.Region, "S3_BUCKET=" + at.Name,
		"S3_ACCESS_KEY=" + at.AccessKey, "S3_SECRET_KEY=" + at.SecretKey,
	}, env...)
	err := cmd.Run()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func open(t *testing.T, at *devtest.Bucket) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(bucket.Config{Endpoint: at.Endpoint, Region: at.Region, Name: at.Name, AccessKey: at.AccessKey, SecretKey: at.SecretKey})
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

// rules is the lifecycle of a bucket as S3 and Backblaze B2 keep it. It stands in for what versitygw, the S3 server of these
// tests, answers with NotImplemented; all else reaches that.
type rules struct {
	mu   sync.Mutex
	text []byte
	puts int
}

// withLifecycle returns the bucket as it reads from a proxy that keeps lifecycle rules, at first those of text or none.
func withLifecycle(t *testing.T, at *devtest.Bucket, text string) (*devtest.Bucket, *rules) {
	t.Helper()
	kept := &rules{text: []byte(text)}
	proxy := httptest.NewServer(devtest.Before(t, at, kept.answer))
	t.Cleanup(proxy.Close)
	like := *at
	like.Endpoint = proxy.URL
	return &like, kept
}

func (k *rules) answer(w http.ResponseWriter, r *http.Request) bool {
	if !r.URL.Query().Has("lifecycle") {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case r.Method == http.MethodPut:
		text, err := io.ReadAll(r.Body)
		sum := md5.Sum(text) //nolint:gosec // as above
		if err != nil || r.Header.Get("Content-Md5") != base64.StdEncoding.EncodeToString(sum[:]) || xml.Unmarshal(text, &lifecycle.Configuration{}) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		k.text = text
		k.puts++
	case len(k.text) == 0:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>NoSuchLifecycleConfiguration</Code></Error>`)
	default:
		_, _ = w.Write(k.text)
	}
	return true
}

// document returns the rules as they were put, and how often they were.
func (k *rules) document() (text string, puts int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return string(k.text), k.puts
}

const wanted = `<LifecycleConfiguration>` +
	`<Rule><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>` +
	`<Expiration><Days>7</Days></Expiration><ID>honeydue-uploads</ID><Filter><Prefix>uploads/</Prefix></Filter>` +
	`<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><Status>Enabled</Status></Rule>` +
	`<Rule><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration><ID>honeydue-uploads-marks</ID>` +
	`<Filter><Prefix>uploads/</Prefix></Filter><Status>Enabled</Status></Rule></LifecycleConfiguration>`

func TestApplyThenVerify(t *testing.T) {
	t.Parallel()
	at, kept := withLifecycle(t, devtest.NewBucket(t), "")
	code, out, errs := call(t, at, nil, "verify")
	require.Equal(t, differs, code, errs)
	require.Contains(t, out, "lifecycle  differs\n           no rule for uploads/ to hide after 7 days\n")
	require.Contains(t, out, "CORS       differs\n           pages of https://myhoneydue.com may not GET\n")
	_, puts := kept.document()
	require.Zero(t, puts, "verify changes nothing")

	code, out, errs = call(t, at, nil, "apply")
	require.Equal(t, inOrder, code, errs)
	require.Equal(t, "lifecycle  applied\nCORS       applied\n", out)
	text, puts := kept.document()
	require.Equal(t, wanted, text)
	require.Equal(t, 1, puts)
	for _, args := range []string{"apply", "verify"} {
		code, out, errs = call(t, at, nil, args)
		require.Equal(t, inOrder, code, errs)
		require.Equal(t, "lifecycle  already so\nCORS       already so\n", out)
	}
	_, puts = kept.document()
	require.Equal(t, 1, puts)

	// What it says is what a browser then meets.
	for origin, allowed := range map[string]string{"https://admin.myhoneydue.com": "https://admin.myhoneydue.com", "https://example.com": ""} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, at.Endpoint+"/"+at.Name+"/uploads/a", http.NoBody)
		require.NoError(t, err)
		request.Header.Set("Origin", origin)
		request.Header.Set("Access-Control-Request-Method", http.MethodPut)
		request.Header.Set("Access-Control-Request-Headers", "content-type")
		answer, err := devtest.Client.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, allowed, answer.Header.Get("Access-Control-Allow-Origin"))
	}
}

func TestRulesOfOthersAreKept(t *testing.T) {
	t.Parallel()
	at, _ := withLifecycle(t, devtest.NewBucket(t), "")
	b := open(t, at)
	theirs := lifecycle.Rule{ID: "logs", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "logs/"}, Expiration: lifecycle.Expiration{Days: 30}}
	former := lifecycle.Rule{ID: "honeydue-uploads", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "uploads/"}, Expiration: lifecycle.Expiration{Days: 9}}
	require.NoError(t, b.SetLifecycle(t.Context(), []lifecycle.Rule{former, theirs}))
	page := cors.Rule{ID: "blog", AllowedOrigin: []string{"https://blog.example.com"}, AllowedMethod: []string{"GET"}, ExposeHeader: []string{"etag"}, MaxAgeSeconds: 5}
	require.NoError(t, b.SetCORS(t.Context(), []cors.Rule{pageRule([]string{"https://old.example.com"}), page}))

	_, out, _ := call(t, at, nil, "verify")
	require.Contains(t, out, "a rule for uploads/ that is not ours, to hide after 9 days")
	require.Contains(t, out, "pages of https://old.example.com still may")
	env := []string{"BUCKET_CORS_ORIGINS=http://localhost:3000"}
	code, out, errs := call(t, at, env, "apply")
	require.Equal(t, inOrder, code, out+errs)

	found, err := b.Lifecycle(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.Equal(t, "logs", found[0].ID)
	require.EqualValues(t, 30, found[0].Expiration.Days)
	pages, err := b.CORS(t.Context())
	require.NoError(t, err)
	require.Equal(t, []cors.Rule{page, pageRule([]string{"http://localhost:3000"})}, pages)
}

// TestRefused asks versitygw itself, which has no lifecycle rules.
func TestRefused(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	for _, args := range []string{"verify", "apply"} {
		code, out, errs := call(t, at, nil, args)
		require.Equal(t, differs, code, errs)
		require.Contains(t, out, "lifecycle  refused: read lifecycle: bucket refused: NotImplemented, status 501\n")
		require.Contains(t, out, "b2 bucket update --lifecycle-rule")
		require.Contains(t, out, at.Name+"\nCORS ")
	}
	unknown := *at
	unknown.SecretKey = "another"
	code, out, _ := call(t, &unknown, nil, "apply")
	require.Equal(t, differs, code)
	require.Contains(t, out, "CORS       refused: read CORS: bucket refused: SignatureDoesNotMatch, status 403\n")
	require.Contains(t, out, "b2 bucket update --cors-rules")
}

func TestNotTried(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	away := *at
	away.Endpoint = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		at   *devtest.Bucket
		env  []string
		args []string
		says string
	}{
		"no command":      {at, nil, nil, usage},
		"another":         {at, nil, []string{"delete"}, usage},
		"too many":        {at, nil, []string{"apply", "verify"}, usage},
		"no region":       {at, []string{"S3_REGION="}, []string{"verify"}, "S3_REGION"},
		"no origin":       {at, []string{"BUCKET_CORS_ORIGINS=myhoneydue.com"}, []string{"verify"}, "is not an origin"},
		"origin and path": {at, []string{"BUCKET_CORS_ORIGINS=https://myhoneydue.com/"}, []string{"verify"}, "is not an origin"},
		"away":            {&away, nil, []string{"verify"}, "bucket is away"},
	} {
		code, out, errs := call(t, c.at, c.env, c.args...)
		require.Equal(t, notTried, code, name)
		require.Empty(t, out, name)
		require.Contains(t, errs, c.says, name)
		require.NotContains(t, errs, at.SecretKey, name)
	}
}

// TestWhatB2Tells reads rules in the form in which Backblaze B2 hands its own back: one deed each, and names of its own.
func TestWhatB2Tells(t *testing.T) {
	t.Parallel()
	var rules lifecycle.Configuration
	require.NoError(t, xml.NewDecoder(strings.NewReader(`<LifecycleConfiguration>
		<Rule><ID>1</ID><Filter><Prefix>uploads/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule>
		<Rule><ID>2</ID><Filter><Prefix>uploads/</Prefix></Filter><Status>Enabled</Status>
			<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>
		<Rule><ID>3</ID><Filter><Prefix>uploads/</Prefix></Filter><Status>Enabled</Status>
			<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>
		<Rule><ID>4</ID><Filter><Prefix>uploads/</Prefix></Filter><Status>Enabled</Status>
			<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
	</LifecycleConfiguration>`)).Decode(&rules))
	require.Empty(t, wrongLifecycle(rules.Rules))
}

func TestRulesThatWouldTakePhotosAway(t *testing.T) {
	t.Parallel()
	expires := lifecycle.Expiration{Days: 90}
	for name, rule := range map[string]lifecycle.Rule{
		"of all":          {ID: "x", Status: "Enabled", Expiration: expires},
		"of a part":       {ID: "x", Status: "Enabled", Expiration: expires, Prefix: "media/A"},
		"of a beginning":  {ID: "x", Status: "Enabled", Expiration: expires, RuleFilter: lifecycle.Filter{Prefix: "me"}},
		"with conditions": {ID: "x", Status: "Enabled", Expiration: expires, RuleFilter: lifecycle.Filter{And: lifecycle.And{Prefix: "media/", ObjectSizeGreaterThan: 1}}},
	} {
		require.Equal(t, []string{`rule "x" would take away what people keep under media/: remove it`}, wrongLifecycle(append(sentRules(), rule)), name)
		rule.Status = "Disabled"
		require.Empty(t, wrongLifecycle(append(sentRules(), rule)), name)
	}
	hidden := lifecycle.Rule{ID: "x", Status: "Enabled", NoncurrentVersionExpiration: lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 1}}
	require.Empty(t, wrongLifecycle(append(sentRules(), hidden)), "what is hidden may go")
}

func TestARuleThatCannotBeSentBackWholeIsNotTouched(t *testing.T) {
	t.Parallel()
	const theirs = `<LifecycleConfiguration><Rule><ID>cold</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>` +
		`<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>` +
		`<Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>`
	at, kept := withLifecycle(t, devtest.NewBucket(t), theirs)
	code, out, errs := call(t, at, nil, "apply")
	require.Equal(t, differs, code, errs)
	require.Contains(t, out, `rule "cold" moves objects between storage classes`)
	text, _ := kept.document()
	require.Equal(t, theirs, text)
}

// Package cluster takes the whole system to the Kubernetes cluster of this machine, with PostgreSQL, PgBouncer, Redis, S3 and
// a mailbox beside it, for tests and benchmarks that need the real thing.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/push"
)

// A Cluster runs everything that the overlay `cluster` holds. Its methods may be called at the same time.
type Cluster struct {
	Environment Environment
	Manifests   *knative.Manifests // those of the functions; the overlay changes some values
	Postgres    *devserver.Postgres
	PgBouncer   *devserver.PgBouncer
	Redis       *devserver.Redis
	S3          *devserver.S3
	Mailbox     *mailbox.Mailbox
	Pushes      *push.Double

	log  io.Writer
	root string   // of the workspace
	dir  string   // of the servers' data
	lock *os.File // one run at a time
	mine bool     // the cluster is this machine alone; before that is known, nothing in it is read or deleted
}

// Where things are in the cluster.
const (
	Namespace = "honeydue"
	Aside     = "honeydue-aside" // where objects are validated and nothing runs
	eventing  = "knative-eventing"
	ours      = "app.kubernetes.io/part-of=honeydue" // label of everything that a rollout makes
)

const (
	cleaning = 5 * time.Minute
	removing = time.Minute // of it, for the functions
)

// Up starts the servers and rolls everything out with `make deploy`, after it has removed what a killed run left behind. It
// takes minutes and says on log what it does. When it fails, ctx's end included, it reports there and takes everything
// down again.
func Up(ctx context.Context, e Environment, log io.Writer) (*Cluster, error) {
	c := &Cluster{Environment: e, log: log, dir: filepath.Join(os.TempDir(), "honeydue-cluster")}
	if err := c.take(); err != nil {
		return nil, err
	}
	err := c.up(ctx)
	if err == nil {
		return c, nil
	}
	if c.mine && ctx.Err() == nil {
		c.Report(context.WithoutCancel(ctx), log)
	}
	return nil, errors.Join(err, c.Down(context.WithoutCancel(ctx)))
}

func (c *Cluster) up(ctx context.Context) error {
	var err error
	if c.root, err = workspace(ctx); err != nil {
		return err
	}
	if c.Manifests, err = knative.Read(); err != nil {
		return fmt.Errorf("read manifests: %w", err)
	}
	if err := c.isHere(ctx); err != nil {
		return err
	}
	if err := hasImage(ctx, c.Environment.BaseImage); err != nil {
		return err
	}
	c.mine = true
	c.say("removing what an earlier run left")
	if err := c.clear(ctx); err != nil {
		return err
	}
	if err := c.trustEdge(ctx); err != nil {
		return err
	}
	if err := c.configureKnative(ctx); err != nil {
		return err
	}
	c.say("starting servers")
	if err := c.startServers(ctx); err != nil {
		return err
	}
	if err := c.createSecrets(ctx); err != nil {
		return err
	}
	c.say("make deploy OVERLAY=cluster")
	_, err = c.Make(ctx, "deploy", "OVERLAY=cluster")
	return err
}

// Down deletes everything of ours from the cluster, if that is this machine's, and stops the servers.
func (c *Cluster) Down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cleaning)
	defer cancel()
	c.say("taking everything down")
	var errs []error
	if c.mine {
		// The functions end while their servers still answer.
		errs = append(errs, c.removeFunctions(ctx), c.clear(ctx))
	}
	return errors.Join(append(errs, c.stopServers(ctx), os.RemoveAll(c.dir), c.lock.Close())...)
}

// take makes this run the only one on this machine. The lock is not in the folder, which goes.
func (c *Cluster) take() error {
	lock, err := os.OpenFile(c.dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("take lock: another run uses the cluster: %w", err), lock.Close())
	}
	c.lock = lock
	return nil
}

// isHere returns an error unless the cluster is this machine alone: anything of ours in it is deleted.
func (c *Cluster) isHere(ctx context.Context) error {
	if err := isLocal(c.Environment.Host); err != nil {
		return err
	}
	out, err := c.Kubectl(ctx, "", "get", "nodes", "-o", `jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}`)
	if err != nil {
		return err
	}
	if out != c.Environment.Host.String() {
		return errors.New("the cluster of KUBECONFIG has nodes that are not this machine")
	}
	return nil
}

// hasImage returns an error unless the image's registry answers with it. A registry that keeps its names in memory loses them
// with its process, and building against it would end with eight errors that say less.
func hasImage(ctx context.Context, image string) error {
	at, err := name.ParseReference(image)
	if err != nil {
		return fmt.Errorf("read KO_DEFAULTBASEIMAGE: %w", err)
	}
	if _, err := remote.Head(at, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("find KO_DEFAULTBASEIMAGE in its registry, push it again if that was started anew: %w", err)
	}
	return nil
}

// removeFunctions deletes the functions and returns when their pods are gone. A namespace that goes with pods in it is left alone
// for half of the longest time that one of them may take, and only then looked at again.
func (c *Cluster) removeFunctions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removing)
	defer cancel()
	if _, err := c.Kubectl(ctx, "", "delete", "services.serving.knative.dev", "-n", Namespace, "-l", ours, "--ignore-not-found"); err != nil {
		return err
	}
	return c.AwaitZero(ctx)
}

// clear deletes everything of ours from the cluster and returns when it is gone. A namespace of that name that a rollout of
// ours did not make stays.
func (c *Cluster) clear(ctx context.Context) error {
	names := ",kubernetes.io/metadata.name in (" + Namespace + "," + Aside + "," + eventing + ")"
	if _, err := c.Kubectl(ctx, "", "delete", "namespaces", "-l", ours+names, "--ignore-not-found"); err != nil {
		return err
	}
	_, err := c.Kubectl(ctx, "", "delete", "clusterroles,clusterrolebindings,priorityclasses", "-l", ours, "--ignore-not-found")
	return err
}

func (c *Cluster) say(what string) {
	_, _ = fmt.Fprintf(c.log, "%s  %s\n", time.Now().Format(time.TimeOnly), what)
}

func (c *Cluster) slog() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

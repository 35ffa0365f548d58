package devserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	probeTimeout = 2 * time.Second
	stopTimeout  = 20 * time.Second

	// Others take ports all the time, so that a free one can be gone a moment later.
	tries      = 10
	triesApart = 100 * time.Millisecond
)

// errTaken means that another program has the port, or for a moment still the data.
var errTaken = errors.New("taken by another program")

// errElsewhere means that Host is no address of this machine. PostgreSQL and PgBouncer are content with one of
// several addresses; we are not.
var errElsewhere = errors.New("listen: not an address of this machine")

// A Server is one running program. Its methods may be called at the same time.
type Server struct {
	name    string // of the program, its folder, its log and its lock
	program string
	folder  string
	dir     string
	as      *account
	host    string // the further address; empty without one
	port    int

	// command writes what the program reads at start, and returns its arguments.
	command func(port int) ([]string, error)

	secrets []string // NAME=value, added to what it sees of our environment

	// probe succeeds when this very server answers, and not another one that got the port before it.
	probe func(ctx context.Context, port, pid int) error

	// repair makes the data ready before a start, when no process of an earlier run is left.
	repair func(ctx context.Context) error

	onStop, onDeath syscall.Signal

	mu      sync.Mutex
	process *process
	lock    *os.File
}

// newServer makes the server's folder and finds its program.
func newServer(p program, o Options) (*Server, error) {
	path, err := p.find(installed)
	if err != nil {
		return nil, err
	}
	return newServerOf(p.name, path, o)
}

// newServerOf makes the folder of a server whose program is at path.
func newServerOf(name, path string, o Options) (*Server, error) {
	if err := o.checkNetwork(); err != nil {
		return nil, err
	}
	as, err := unprivileged(filepath.Join(o.Dir, name))
	if err != nil {
		return nil, err
	}
	folder, err := as.makeFolder(filepath.Join(o.Dir, name))
	if err != nil {
		return nil, err
	}
	return &Server{
		name: name, program: path, folder: folder, dir: filepath.Dir(folder), as: as, host: o.Host,
		repair:  func(context.Context) error { return nil },
		onStop:  syscall.SIGTERM,
		onDeath: syscall.SIGKILL,
	}, nil
}

// Log returns the path of the server's log, to which every run appends.
func (s *Server) Log() string { return filepath.Join(s.dir, s.name+".log") }

// Port returns the TCP port on every address, the same for every run.
func (s *Server) Port() int { return s.port }

// PID returns the id of the server's process, zero when it is not running.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running() {
		return 0
	}
	return s.process.pid()
}

// Start runs a stopped server again, on the same port and data, and returns once it answers. It ends what an
// earlier run left behind, but returns an error when another process has the folder in use. ctx bounds the
// start, not the server's life. A server that runs already is left alone.
func (s *Server) Start(ctx context.Context) error {
	return s.start(ctx, s.port)
}

// start does the work of Start; with port zero it takes a free one.
func (s *Server) start(ctx context.Context, port int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.own(ctx); err != nil {
		return err
	}
	err := s.launch(ctx, port)
	for try := 1; errors.Is(err, errTaken) && try < tries && wait(ctx, triesApart) == nil; try++ {
		err = s.launch(ctx, port)
	}
	if err != nil {
		s.disown()
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	return nil
}

// Stop ends the server, paused or not, in its orderly way and waits for it. When ctx ends before, or after
// 20 s, the server is killed and that is the error. A server that does not run is no error.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	defer s.disown()
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if s.process.running() {
		s.process.resume()
		signal(s.onStop, s.process.pid())
	}
	select {
	case <-s.process.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s: killed: %w", s.name, ctx.Err()), s.process.kill())
	}
}

// Kill ends the server at once, as a crash would, and returns when its processes are gone.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	defer s.disown()
	return s.process.kill()
}

// Ended is closed once the process that runs now is gone, by whatever cause. It is nil when none runs.
func (s *Server) Ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	return s.process.done
}

// Pause freezes the server: connections stay open and nothing answers, until Resume, Stop or Kill.
func (s *Server) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		s.process.pause()
	}
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		s.process.resume()
	}
}

func (s *Server) running() bool { return s.process != nil && s.process.running() }

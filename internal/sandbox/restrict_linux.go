package sandbox

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

const (
	readFile  landlock.AccessFSSet = ll.AccessFSReadFile
	readDir   landlock.AccessFSSet = readFile | ll.AccessFSReadDir
	writeFile landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSTruncate
	makeFiles landlock.AccessFSSet = readDir | writeFile | ll.AccessFSMakeReg | ll.AccessFSMakeSock | ll.AccessFSRemoveFile
	callUnix  landlock.AccessFSSet = ll.AccessFSResolveUnix
)

// limits are what later kernels can restrict and earlier ones cannot.
var limits = []struct {
	abi  int // of Landlock, from which on they can
	what string
}{
	{3, "cutting files short (Linux 6.2)"},
	{4, "TCP ports (Linux 6.7)"},
	{6, "signals and abstract Unix sockets (Linux 6.12)"},
}

func restrict(r Rights) error {
	if err := r.checkPaths(); err != nil {
		return err
	}
	_, _ = time.Now().Zone() // the zone is read when first asked for
	abi, err := ll.LandlockGetABIVersion()
	if err != nil {
		if failed := noNewPrivileges(); failed != nil {
			return failed
		}
		return fmt.Errorf("sandbox: files and ports stay open: this kernel has no Landlock, or it is not switched on (%v): %w", err, errors.ErrUnsupported)
	}
	rules, err := r.rules()
	if err != nil {
		return err
	}
	if err := r.config().BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return missing(abi)
}

// missing says what a kernel cannot restrict.
func missing(abi int) (err error) {
	for _, l := range limits {
		if abi < l.abi {
			err = errors.Join(err, fmt.Errorf("sandbox: this kernel cannot restrict %s: %w", l.what, errors.ErrUnsupported))
		}
	}
	return err
}

// config is what will be restricted: files and Unix sockets with all that Landlock knew in its ninth version, TCP, and signals
// and abstract Unix sockets beyond this process. Not UDP, as later versions can: who answers datagrams must be able to
// send to any port.
func (r Rights) config() landlock.Config {
	c := landlock.V9
	if slices.Contains(r.Call, anyAbstract) {
		c.Scoped = ll.ScopeSignal
	}
	return c
}

func (r Rights) rules() (rules []landlock.Rule, err error) {
	for _, grant := range []struct {
		access landlock.AccessFSSet
		paths  []string
	}{
		{readDir, r.Read}, {makeFiles, r.Make}, {callUnix, r.Call},
	} {
		for _, path := range grant.paths {
			if path == anyAbstract {
				continue
			}
			rule, err := fileRule(grant.access, path)
			if err != nil {
				return nil, err
			}
			rules = append(rules, rule)
		}
	}
	for _, port := range r.Connect {
		rules = append(rules, landlock.ConnectTCP(port))
	}
	return rules, nil
}

// fileRule leaves out what only directories have, which the kernel would refuse for a file.
func fileRule(access landlock.AccessFSSet, path string) (landlock.Rule, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if !info.IsDir() {
		access &= readFile | writeFile | callUnix
	}
	return landlock.PathAccess(access, path), nil
}

// noNewPrivileges keeps what is executed from having more rights than this process (PR_SET_NO_NEW_PRIVS). Where Landlock
// restricts, it comes with it.
func noNewPrivileges() error {
	if err := ll.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("sandbox: no-new-privileges: %w", err)
	}
	return nil
}

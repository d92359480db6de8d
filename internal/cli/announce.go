package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// announce says where it listens and what to type to call it: to people on standard error, to programs on --ready-fd and
// in --ready-file.
func (v *listening) announce(address string, on net.Addr) error {
	v.u.note("listening on %s; to call it: parley call %s", where(on), shellQuote(short(address)))
	if v.readyFD >= 0 {
		if err := writeReadyFD(v.readyFD, address); err != nil {
			return &localError{fmt.Sprintf("--ready-fd %d", v.readyFD), err}
		}
	}
	if v.readyFile != "" {
		if err := writeReadyFile(v.readyFile, address); err != nil {
			return &localError{"--ready-file " + v.readyFile, err}
		}
	}
	return nil
}

// where names the address for people: who can reach it matters most.
func where(on net.Addr) string {
	var ip net.IP
	switch a := on.(type) {
	case *net.TCPAddr:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	default:
		return on.String()
	}
	switch {
	case ip.IsUnspecified():
		return on.String() + " (every interface)"
	case ip.IsLoopback():
		return on.String() + " (this machine only)"
	}
	return on.String()
}

// short is what a person types on this machine.
func short(address string) string { return strings.TrimPrefix(address, "127.0.0.1:") }

// shellQuote quotes an address that a shell would take apart.
func shellQuote(address string) string {
	if strings.ContainsAny(address, "?&*[]$ '\"\\()<>|;~#") {
		return "'" + strings.ReplaceAll(address, "'", `'\''`) + "'"
	}
	return address
}

func writeReadyFD(fd int, address string) error {
	f := os.NewFile(uintptr(fd), "ready-fd")
	if f == nil {
		return os.ErrInvalid
	}
	if _, err := f.WriteString(address + "\n"); err != nil {
		return err
	}
	if fd <= 2 {
		return nil // standard output is still needed
	}
	return f.Close()
}

// writeReadyFile renames the file into place, so that whoever waits for it never reads half of it.
func writeReadyFile(name, address string) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	if _, err := f.WriteString(address + "\n"); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// readiness is how programs learn that callers can come.
type readiness struct {
	fd   int
	file string
}

func (r *readiness) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&r.fd, "ready-fd", -1, "write the address to this descriptor when callers can come")
	cmd.Flags().StringVar(&r.file, "ready-file", "", "write the address to this file when callers can come")
}

// writeFD writes the addresses, a line for each, to --ready-fd.
func (r *readiness) writeFD(addresses []string) error {
	if r.fd < 0 {
		return nil
	}
	if err := writeReadyFD(r.fd, strings.Join(addresses, "\n")+"\n"); err != nil {
		return &localError{fmt.Sprintf("--ready-fd %d", r.fd), err}
	}
	return nil
}

// writeFile writes the addresses to --ready-file.
func (r *readiness) writeFile(addresses []string) error {
	if r.file == "" {
		return nil
	}
	if err := writeReadyFile(r.file, strings.Join(addresses, "\n")+"\n"); err != nil {
		return &localError{"--ready-file " + r.file, err}
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

func writeReadyFD(fd int, text string) error {
	f := os.NewFile(uintptr(fd), "ready-fd")
	if f == nil {
		return os.ErrInvalid
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if fd <= 2 {
		return nil // standard output is still needed
	}
	return f.Close()
}

// writeReadyFile renames the file into place, so that whoever waits for it never reads half of it.
func writeReadyFile(name, text string) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

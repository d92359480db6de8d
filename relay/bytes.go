package relay

import (
	"os"

	"parley"
	"parley/internal/sys"
)

// copyBytes passes on bytes as they come, until from has ended. The kernel moves them where it can: between sockets, and
// from and to the files of local ends. Who taps must see them.
func (d *direction) copyBytes() (int64, error) {
	from, to := d.pair()
	if d.j.tapped != nil {
		return from.WriteTo(&tapWriter{d, to})
	}
	if f, _ := filesOf(from); f != nil && d.began == 0 { // who has heard something may hold more
		return to.ReadFrom(f)
	}
	if _, f := filesOf(to); f != nil {
		return from.WriteTo(f)
	}
	return from.WriteTo(to)
}

// A tapWriter tells the tap what passes, before the other end can answer it.
type tapWriter struct {
	d  *direction
	to *parley.Conn
}

func (w *tapWriter) Write(p []byte) (int, error) {
	w.d.j.tapped.piece(w.d.from, p, false)
	return w.to.Write(p)
}

// filesOf returns the files and pipes behind a local end, which the kernel can move bytes from and to; nil where there is
// none, or nothing would be won.
func filesOf(c *parley.Conn) (in, out *os.File) {
	if local, ok := c.NetConn().(filer); ok {
		in, out = local.Files()
	}
	return ifMovable(in), ifMovable(out)
}

// A filer is a local end that shows its files.
type filer interface{ Files() (in, out *os.File) }

func isLocal(c *parley.Conn) bool { _, is := c.NetConn().(filer); return is }

func ifMovable(f *os.File) *os.File {
	if f == nil {
		return nil
	}
	if kind := sys.KindOf(f); kind != sys.Pipe && kind != sys.File {
		return nil
	}
	return f
}

// isFile reports whether c hears a file on a disk, which waits for nobody.
func isFile(c *parley.Conn) bool {
	in, _ := filesOf(c)
	return in != nil && sys.KindOf(in) == sys.File
}

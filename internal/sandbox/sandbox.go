// Package sandbox takes from this process the rights that it needs no longer: [Restrict] those to files, ports and other
// processes (Landlock, on Linux), [FindUser] those of root.
//
// What was opened before stays open. So a program opens first what its command line names, and then restricts itself.
package sandbox

// Rights are what a process keeps. The zero Rights are none: no file can be opened any more, and no TCP port listened on or
// called. Paths must exist; a directory stands for all that is below it, now and later. A link stands for what it points to.
//
// Landlock keeps a right for the very file, not for its name: a file that is replaced by another of the same name, as most
// editors and all certificate renewals do, is a new one, to which nobody has a right. The right must be to its directory:
// see [Replaced].
type Rights struct {
	Read    []string // files that are read, and directories that are listed
	Make    []string // directories in which files and Unix sockets are made, written, replaced and removed; they can be read too
	Call    []string // Unix sockets of other processes that are called or answered, or directories of them; "@" stands for all abstract ones
	Connect []uint16 // TCP ports that are called
}

// And returns the rights of r and others together.
func (r Rights) And(others ...Rights) Rights {
	for _, o := range others {
		r.Read = join(r.Read, o.Read)
		r.Make = join(r.Make, o.Make)
		r.Call = join(r.Call, o.Call)
		r.Connect = join(r.Connect, o.Connect)
	}
	return r
}

func join[T any](a, b []T) []T { return append(a[:len(a):len(a)], b...) }

// Restrict leaves this process the rights r, for good: all of its threads, and all processes that it will start. Before it does,
// it has the local time zone read, so that the log needs no right for that.
//
// An error that wraps errors.ErrUnsupported says what this system cannot restrict; all else has been restricted, and the
// process may go on. After any other error nothing is certain, and it should end. A path that does not exist is such an
// error; it names the path, and nothing has been restricted.
//
// Landlock restricts neither UDP nor Multipath TCP, and lets through who asks only whether a file is there.
func Restrict(r Rights) error { return restrict(r) }

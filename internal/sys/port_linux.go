package sys

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tcpListening is a TCP socket's state in /proc/net/tcp: TCP_LISTEN,
// include/net/tcp_states.h. The others hold a port without keeping it from anyone.
const tcpListening = "0A"

// PortHolder finds who listens on (for udp, is bound to) a local port of this
// network namespace: "name (pid 123)". Network is tcp, tcp4, tcp6, udp, udp4 or
// udp6. If several processes hold it, the oldest number is named. It is "" when
// nobody does, or when we may not see who: another user's process. It reads much
// of /proc (proc_pid_net(5)), some milliseconds: call it for an error message.
func PortHolder(network string, port int) string {
	sockets := map[string]bool{} // "socket:[inode]", as /proc/PID/fd/* points to
	for _, table := range tables(network) {
		addSockets(sockets, table, port, strings.HasPrefix(network, "tcp"))
	}
	if len(sockets) == 0 {
		return ""
	}
	for _, pid := range processes() {
		if holdsAny(pid, sockets) {
			return fmt.Sprintf("%s (pid %d)", processName(pid), pid)
		}
	}
	return ""
}

func tables(network string) []string {
	switch network {
	case "tcp", "udp":
		return []string{"/proc/net/" + network, "/proc/net/" + network + "6"}
	case "tcp4", "udp4":
		return []string{"/proc/net/" + strings.TrimSuffix(network, "4")}
	case "tcp6", "udp6":
		return []string{"/proc/net/" + network}
	}
	return nil
}

// addSockets adds the sockets of one table that hold port.
func addSockets(to map[string]bool, table string, port int, tcp bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if inode, ok := holderOf(lines.Text(), port, tcp); ok {
			to["socket:["+inode+"]"] = true
		}
	}
}

// holderOf takes the inode from a line of /proc/net/tcp and its like, if its socket
// holds port:
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4231 ...
func holderOf(line string, port int, tcp bool) (inode string, ok bool) {
	field := strings.Fields(line)
	if len(field) < 10 || tcp && field[3] != tcpListening {
		return "", false
	}
	_, hex, _ := strings.Cut(field[1], ":")
	got, err := strconv.ParseUint(hex, 16, 16)
	return field[9], err == nil && int(got) == port
}

// processes returns the processes we can see, lowest number first.
func processes() []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

func holdsAny(pid int, sockets map[string]bool) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir) // another user's process: nothing to see
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && sockets[target] {
			return true
		}
	}
	return false
}

func processName(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "a process"
	}
	return strings.TrimSpace(string(name))
}

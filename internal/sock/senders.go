package sock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"parley/internal/sys"
)

// What a listener keeps for those who have not been heard yet. UDP senders may be made up, so all of it is bounded.
const (
	waitingSenders   = 128      // that nobody has accepted
	waitingDatagrams = 64       // of one sender
	waitingBytes     = 1 << 20  // of one sender
	waitingInAll     = 64 << 20 // bytes, of all senders of a listener
)

// A senderListener is a listener whose callers are the senders of datagrams. Each of its sockets has a goroutine, hear,
// that lives until the listener and all of its conversations are closed.
type senderListener struct {
	senderParams
	ways      []*way
	dropped   func(from net.Addr, err error)
	began     time.Time
	waiting   atomic.Int64 // bytes that nobody has heard yet
	newcomers chan *Sender
	closing   chan struct{} // closed by Close
	gone      chan struct{} // closed with the sockets

	mu       sync.Mutex // taken before that of a Sender
	talking  map[senderKey]*Sender
	open     int // conversations that this end has not closed, those in newcomers too
	closed   bool
	sweeping *time.Timer // nil until there is a first sender
}

// A senderKey tells senders apart without an allocation for each datagram: by address on UDP, by name elsewhere.
type senderKey struct {
	ip     netip.AddrPort
	called netip.Addr // the address of this machine that the sender talks to; invalid if the socket has but one, or cannot tell
	name   string
}

// ListenSenders makes a listener of pc, which is then its to close. Its callers are the senders of datagrams, one
// conversation each, of type *Sender. The params are idle, senders and eof.
//
// A sender that is silent, and told nothing, for as long as idle has ended: its conversation hears io.EOF, after what was
// said before, up to an eighth of idle later. With eof=empty an empty datagram is an end too, and begins no conversation.
// A datagram that comes after the end, or after this end's Close, begins a new conversation. A sender without a name, as
// Unix sockets may be, cannot be known again: each of its datagrams is a conversation of its own, which ends after it and
// cannot be answered.
//
// A datagram that cannot be kept is dropped, and dropped, if it is not nil, is called with its sender and the reason, on the
// goroutine that hears: it must not block. It is told failures of the socket too, with a nil from; they do not end the
// listener. Of a conversation that is closed with datagrams unheard it is told once, how many, by whoever closes.
//
// A UDP socket on every interface answers, on Linux, from the address that was called, and who calls two addresses of this
// machine has two conversations. On other systems the kernel chooses the address, and a caller who hears nobody else than
// whom he called may miss the reply: listen on one address there, if the machine has several.
//
// Close takes no more senders. The conversations already accepted go on, and the last of them closes pc; until then nobody
// else can listen there.
func ListenSenders(pc net.PacketConn, p Params, dropped func(from net.Addr, err error)) (net.Listener, error) {
	sp, err := p.senders()
	if err != nil {
		return nil, err
	}
	return listenSenders(sp, dropped, newWay(pc)), nil
}

// ListenUDPSenders is ListenUDP for conversations; see ListenSenders.
func ListenUDPSenders(ctx context.Context, network, target string, p Params, dropped func(from net.Addr, err error)) (net.Listener, error) {
	sp, err := p.senders()
	if err != nil {
		return nil, err
	}
	legs, err := openUDP(ctx, network, target, p)
	if err != nil {
		return nil, err
	}
	var ways []*way
	for _, leg := range legs {
		ways = append(ways, newWay(leg.UDPConn))
	}
	return listenSenders(sp, dropped, ways...), nil
}

// ListenUnixSenders is ListenUnixPacket for conversations; see ListenSenders. p has type=datagram. A hearer whose own queue
// is full keeps nobody waiting but who writes to him. The send buffer is everybody's, though, and Linux lets what lies unread
// with one connected hearer fill it: then nobody can be told anything until he reads, or goes. sndbuf= makes it larger.
func ListenUnixSenders(ctx context.Context, path string, p Params, dropped func(from net.Addr, err error)) (net.Listener, error) {
	sp, err := p.senders()
	if err != nil {
		return nil, err
	}
	pc, err := ListenUnixPacket(ctx, path, p.without("idle", "senders"))
	if err != nil {
		return nil, err
	}
	return listenSenders(sp, dropped, newWay(pc)), nil
}

func listenSenders(sp senderParams, dropped func(net.Addr, error), ways ...*way) *senderListener {
	if dropped == nil {
		dropped = func(net.Addr, error) {}
	}
	l := &senderListener{
		senderParams: sp, ways: ways, dropped: dropped, began: time.Now(),
		newcomers: make(chan *Sender, waitingSenders), closing: make(chan struct{}), gone: make(chan struct{}), talking: map[senderKey]*Sender{},
	}
	for _, w := range ways {
		go l.hear(w)
	}
	return l
}

// Addr returns where it listens.
func (l *senderListener) Addr() net.Addr { return l.ways[0].LocalAddr() }

// Accept waits for a new sender. The dynamic type of what it returns is *Sender.
func (l *senderListener) Accept() (net.Conn, error) { return l.AcceptContext(context.Background()) }

// AcceptContext is Accept with a context; see Accept.
func (l *senderListener) AcceptContext(ctx context.Context) (net.Conn, error) {
	select {
	case s := <-l.newcomers:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.closing:
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close takes no more senders; see ListenSenders.
func (l *senderListener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return &net.OpError{Op: "close", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
	l.closed = true
	close(l.closing)
	last := l.open == 0
	l.mu.Unlock()
	if last {
		return l.closeWays()
	}
	for {
		select {
		case s := <-l.newcomers: // nobody will accept it any more
			s.Close()
		default:
			return nil
		}
	}
}

// closeWays is called once, by whoever is the last: the listener or a conversation.
func (l *senderListener) closeWays() error {
	l.mu.Lock()
	if l.sweeping != nil {
		l.sweeping.Stop()
	}
	l.mu.Unlock()
	close(l.gone)
	var errs []error
	for _, w := range l.ways {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}

// hear gives each datagram of w to the conversation with its sender.
func (l *senderListener) hear(w *way) {
	const first, longest = 5 * time.Millisecond, time.Second
	memory := make([]byte, MaxDatagram(w.LocalAddr()))
	pause := first
	for {
		n, key, from, err := w.read(memory)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case concernsOne(err): // and was told of somebody who has gone
		case err != nil:
			l.dropped(nil, err)
			select { // what is wrong stays so for a while: memory is short, an interface is down
			case <-time.After(pause):
			case <-l.gone:
			}
			pause = min(2*pause, longest)
		default:
			pause = first
			if err := l.take(w, key, from, memory[:n]); err != nil {
				l.dropped(key.addr(from), err)
			}
		}
	}
}

// concernsOne reports whether err is what became of an earlier datagram of ours, as Windows tells the next who reads.
func concernsOne(err error) bool {
	return sys.Reset.Is(err) || sys.Refused.Is(err) || sys.Unreachable.Is(err)
}

// take gives data to the conversation with its sender, or tells why it cannot.
func (l *senderListener) take(w *way, key senderKey, from net.Addr, data []byte) error {
	if most := MaxDatagram(w.LocalAddr()) - 1; len(data) > most {
		return fmt.Errorf("dropped a datagram of more than the %d bytes that fit", most)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.talking[key]
	isEnd := l.emptyEnds && len(data) == 0
	switch {
	case isEnd && s != nil:
		l.end(s)
		return nil
	case s != nil:
		return s.put(data)
	case isEnd || l.closed:
		return nil
	}
	return l.begin(newSender(l, w, key, from), data)
}

// begin makes s a conversation that can be accepted, if there is room for one more. It needs the lock.
func (l *senderListener) begin(s *Sender, data []byte) error {
	if l.open >= l.most {
		return fmt.Errorf("dropped a datagram of a new sender: %d talk already; more are allowed by senders=", l.open)
	}
	if len(l.newcomers) == waitingSenders { // only we add to them, under the lock
		return fmt.Errorf("dropped a datagram of a new sender: %d wait to be accepted", waitingSenders)
	}
	if err := s.put(data); err != nil {
		return err
	}
	l.open++
	if s.isNameless() {
		s.end()
	} else {
		l.talking[s.key] = s
		l.sweepLater()
	}
	l.newcomers <- s
	return nil
}

// end makes s hear the end, after what it has not heard yet. It needs the lock.
func (l *senderListener) end(s *Sender) {
	delete(l.talking, s.key)
	s.end()
}

// close takes s out, once. It reports whether s was open, and tells what is lost with it.
func (l *senderListener) close(s *Sender) (was bool, err error) {
	l.mu.Lock()
	was, unheard := s.close()
	if was {
		l.open--
		if l.talking[s.key] == s {
			delete(l.talking, s.key)
		}
	}
	last := was && l.closed && l.open == 0
	l.mu.Unlock()
	if last {
		err = l.closeWays()
	}
	if unheard > 0 {
		l.dropped(s.remote, closedUnheard(unheard))
	}
	return was, err
}

func closedUnheard(n int) error {
	if n == 1 {
		return errors.New("dropped a datagram of a conversation that was closed")
	}
	return fmt.Errorf("dropped %d datagrams of a conversation that was closed", n)
}

// now is a clock that nobody sets: ns since the listener began.
func (l *senderListener) now() int64 { return int64(time.Since(l.began)) }

// sweepLater has sweep called while there is somebody to end. It needs the lock.
func (l *senderListener) sweepLater() {
	switch every := max(l.idle/8, time.Millisecond); {
	case l.idle == 0:
	case l.sweeping == nil:
		l.sweeping = time.AfterFunc(every, l.sweep)
	case len(l.talking) == 1: // there was nobody, or sweep itself asks
		l.sweeping.Reset(every)
	}
}

// sweep ends the silent senders. One look at all of them now and then costs a sender neither a timer nor a goroutine.
func (l *senderListener) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for _, s := range l.talking {
		if now-s.active.Load() >= int64(l.idle) {
			l.end(s)
		}
	}
	if len(l.talking) > 0 {
		l.sweeping.Reset(max(l.idle/8, time.Millisecond))
	}
}

// A way is a socket that datagrams come and go by.
type way struct {
	net.PacketConn
	udp     *net.UDPConn    // the socket, if it is one that hears without an allocation
	control []byte          // room for what the socket tells of a datagram; nil if nothing
	raw     syscall.RawConn // of a Unix socket: a full hearer must not keep the others from being told
}

func newWay(pc net.PacketConn) *way {
	w := &way{PacketConn: pc}
	w.udp, _ = pc.(*net.UDPConn)
	if w.udp != nil && tellCalled(w.udp) {
		w.control = make([]byte, maxControl)
	}
	if sc, ok := pc.(syscall.Conn); ok && pc.LocalAddr().Network() == "unixgram" {
		w.raw, _ = sc.SyscallConn()
	}
	return w
}

// read hears one datagram. from is nil on UDP, where key says it all.
func (w *way) read(memory []byte) (n int, key senderKey, from net.Addr, err error) {
	switch {
	case w.control != nil:
		var told int
		n, told, _, key.ip, err = w.udp.ReadMsgUDPAddrPort(memory, w.control)
		key.called = calledAddr(w.control[:told], key.ip.Addr())
		return n, key, nil, err
	case w.udp != nil:
		n, key.ip, err = w.udp.ReadFromUDPAddrPort(memory)
		return n, key, nil, err
	}
	n, from, err = ReadFrom(context.Background(), w.PacketConn, memory)
	switch a := from.(type) {
	case nil:
	case *net.UDPAddr:
		key.ip = a.AddrPort()
	default:
		key.name, _ = HostPort(a)
	}
	return n, key, from, err
}

// addr returns who has the key, where nothing else is known of him.
func (k senderKey) addr(from net.Addr) net.Addr {
	switch {
	case from != nil:
		return from
	case k.ip.IsValid():
		return net.UDPAddrFromAddrPort(k.ip)
	}
	return &net.UnixAddr{Net: "unixgram"}
}

// local returns what the sender with key talks to.
func (w *way) local(key senderKey) net.Addr {
	own := w.LocalAddr()
	if !key.called.IsValid() {
		return own
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(key.called, own.(*net.UDPAddr).AddrPort().Port()))
}

// write says p to the sender with key or address. full means that it has no room, and nothing was said.
func (w *way) write(p []byte, key senderKey, to net.Addr) (full bool, err error) {
	switch {
	case key.called.IsValid():
		_, _, err = w.udp.WriteMsgUDPAddrPort(p, saidFrom(key.called), key.ip)
	case w.udp != nil:
		_, err = w.udp.WriteToUDPAddrPort(p, key.ip)
	case w.raw != nil:
		return sendUnix(w.raw, p, key.name)
	default:
		_, err = w.WriteTo(p, to)
	}
	return false, err
}

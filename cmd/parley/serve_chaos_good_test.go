//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"time"
)

// behave holds one conversation after the other and checks every reply. Whatever goes wrong is a fault of the server.
func (ch *chaos) behave(p *chaosPost, n int) {
	who := fmt.Sprintf("%s-%d", p.name, n)
	r := ch.random(who)
	hold := ch.linesWith
	switch {
	case p.service == "chat":
		hold = ch.chatWith
	case p.scheme == "udp":
		hold = ch.datagramsWith
	}
	for round := 0; !ch.over(); round++ {
		if err := hold(p, fmt.Sprintf("%s-%d", who, round), r); err != nil {
			ch.t.Errorf("%s: round %d: %v", who, round, err)
			return
		}
	}
}

// chaosText is a line that nobody else says: who, the number of the line, random text, and the checksum of all that.
func chaosText(who string, n, size int, r *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s line %d ", who, n)
	for range size {
		b.WriteByte('a' + byte(r.IntN(26)))
	}
	return fmt.Sprintf("%s %08x", b.String(), crc32.ChecksumIEEE([]byte(b.String())))
}

// linesWith says lines, some at once, and hears the reply to each in their order; at the end it hears the end.
func (ch *chaos) linesWith(p *chaosPost, who string, r *rand.Rand) error {
	nc, err := ch.dial(p)
	if err != nil {
		return err
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(tooLong))
	in, said := bufio.NewReader(nc), 0
	for range 1 + r.IntN(20) {
		var batch []string
		for range 1 + r.IntN(8) {
			batch = append(batch, chaosText(who, said, r.IntN(2000), r))
			said++
		}
		if _, err := io.WriteString(nc, strings.Join(batch, "\n")+"\n"); err != nil {
			return err
		}
		for _, text := range batch {
			got, err := in.ReadString('\n')
			if want := p.reply(text) + "\n"; err != nil || got != want {
				return fmt.Errorf("heard %.200q, %v; want %.200q", got, err, want)
			}
			p.good.Add(1)
		}
	}
	if err := nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		return fmt.Errorf("heard %.200q, %v; want the end", rest, err)
	}
	return nil
}

// datagramsWith says datagrams and hears the answer to each. One that does not come is lost; one that is not its own is a
// fault.
func (ch *chaos) datagramsWith(p *chaosPost, who string, r *rand.Rand) error {
	nc, err := ch.dial(p)
	if err != nil {
		return err
	}
	defer nc.Close()
	memory := make([]byte, 1<<16)
	for n := range 1 + r.IntN(50) {
		text := chaosText(who, n, r.IntN(1000), r)
		if _, err := io.WriteString(nc, text); err != nil {
			return err
		}
		_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		size, err := nc.Read(memory)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.lost.Add(1)
			return nil // so that what comes late finds nobody
		}
		if want, got := p.reply(text), strings.TrimSuffix(string(memory[:size]), "\n"); err != nil || got != want {
			return fmt.Errorf("heard %.200q, %v; want %.200q", got, err, want)
		}
		p.good.Add(1)
	}
	return nil
}

// A chatting is one caller of a chat.
type chatting struct {
	net.Conn
	in  *bufio.Reader
	tag string // as the server writes it
}

// chatWith has a speaker and a hearer meet in a room of their own, where others may come as well.
func (ch *chaos) chatWith(p *chaosPost, who string, r *rand.Rand) error {
	room := fmt.Sprintf("room%d", r.IntN(1_000_000))
	hearer, err := ch.enter(p, room)
	if err != nil {
		return err
	}
	defer hearer.Close()
	speaker, err := ch.enter(p, room)
	if err != nil {
		return err
	}
	defer speaker.Close()
	go func() { _, _ = io.Copy(io.Discard, speaker.in) }() // else it would be slow; it ends with the Close
	var unheard []string
	for n := range 1 + r.IntN(100) {
		unheard = append(unheard, chaosText(who, n, r.IntN(1000), r))
		if _, err := io.WriteString(speaker, unheard[len(unheard)-1]+"\n"); err != nil {
			return err
		}
		if r.IntN(4) == 0 {
			continue // two lines at once, or more
		}
		for _, want := range unheard {
			if err := hearer.hears(speaker.tag, want); err != nil {
				return err
			}
			p.good.Add(1)
		}
		unheard = nil
	}
	return nil
}

// enter takes part in the chat and joins a room.
func (ch *chaos) enter(p *chaosPost, room string) (*chatting, error) {
	nc, err := ch.dial(p)
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(tooLong))
	c := &chatting{Conn: nc, in: bufio.NewReader(nc)}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			nc.Close()
			return nil, fmt.Errorf("entering the chat: heard %q, %w", line, err)
		}
		if after, ok := strings.CutPrefix(line, "* you are ["); ok && c.tag == "" {
			tag, _, _ := strings.Cut(after, "]")
			c.tag = "[" + tag + "] "
			if _, err := io.WriteString(nc, "/join "+room+"\n"); err != nil {
				nc.Close()
				return nil, err
			}
		}
		if strings.HasPrefix(line, "* you are now in "+room) {
			return c, nil
		}
	}
}

// hears returns nil if the next line of who is text. Lines of others may come between.
func (c *chatting) hears(who, text string) error {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("heard %.200q, %w; want %.200q", line, err, who+text)
		}
		if !strings.HasPrefix(line, who) {
			if !strings.HasPrefix(line, "[") && !strings.HasPrefix(line, "* ") {
				return fmt.Errorf("heard %.200q, which is of nobody", line)
			}
			continue
		}
		if line != who+text+"\n" {
			return fmt.Errorf("heard %.200q, want %.200q", line, who+text)
		}
		return nil
	}
}

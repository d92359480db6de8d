package main

import (
	"context"
	"fmt"
	"strconv"
)

// stallers is how many callers say all they can and never read.
const stallers = 10

// benchStall measures what such callers cost the others.
func benchStall(ctx context.Context, l *lab) (report, error) {
	load, err := l.echoLoad(ctx, l.conversations)
	if err != nil {
		return report{}, err
	}
	stall, err := l.buildC(ctx, "stallers")
	if err != nil {
		return report{}, err
	}
	company := []string{stall, "PORT", strconv.Itoa(stallers)}
	alone, among := serveEcho(), serveEcho()
	netAlone, netAmong := netEcho(), netEcho()
	among.company, netAmong.company = company, company
	alone.name, among.name = "parley", "parley, with stallers"
	netAlone.name, netAmong.name = "package net", "package net, with stallers"
	servers := []*server{alone, among, netAlone, netAmong}
	for _, s := range servers {
		s.lab, s.load, s.on = l, load, pinned
	}
	if err := pinned.possible(); err != nil {
		return report{}, err
	}
	all, err := l.contend(ctx, servers)
	without := find(all, alone.name)
	without.name = "parley without stallers"
	r := report{
		title: fmt.Sprintf("stall: echo in %d conversations, alone and beside %d callers that never read", l.conversations, stallers),
		unit:  "requests/s",
		all:   all,
		rows: []row{
			against("stall, with stallers", "requests/s", find(all, among.name), without, atLeast(0.95)),
		},
	}
	return r, err
}

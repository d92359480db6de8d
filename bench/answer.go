package main

import (
	"context"
	"fmt"
)

// benchAnswer measures what it brings to keep one command for a conversation,
// instead of starting one for each request.
func benchAnswer(ctx context.Context, l *lab) (report, error) {
	var servers []*server
	for _, conversations := range []int{1, 10} {
		load, err := l.echoLoad(ctx, conversations)
		if err != nil {
			return report{}, err
		}
		servers = append(servers,
			&server{name: answerName("--keep", conversations), load: load,
				args: []string{"answer", "tcp:127.0.0.1:PORT", "--keep", "--", "cat"}},
			&server{name: answerName("a process each", conversations), load: load,
				args: []string{"answer", "tcp:127.0.0.1:PORT", "--", "cat"}})
	}
	for _, s := range servers {
		s.lab, s.program, s.on, s.forks = l, "parley", free, true
	}
	all, err := l.contend(ctx, servers)
	r := report{
		title: "answer-keep: requests of 64 bytes, answered by cat",
		unit:  "requests/s",
		all:   all,
	}
	for _, conversations := range []int{1, 10} {
		kept, each := answerName("--keep", conversations), answerName("a process each", conversations)
		work := fmt.Sprintf("answer-keep, conversations: %d", conversations)
		r.rows = append(r.rows, against(work, r.unit, find(all, kept), find(all, each), atLeast(20)))
	}
	return r, err
}

func answerName(way string, conversations int) string {
	return fmt.Sprintf("%s, conversations: %d", way, conversations)
}

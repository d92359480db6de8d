package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const chatHelp = `commands: /name NAME, /who, /join ROOM, /help, /quit; //text says "/text"`

// chatCommands are the commands by name. An error ends the conversation.
var chatCommands = map[string]func(ch *Chat, ctx context.Context, m *chatter, arg string) error{
	"name": (*Chat).name,
	"join": (*Chat).join,
	"who": func(ch *Chat, ctx context.Context, m *chatter, _ string) error {
		for _, line := range ch.who(m) {
			ch.answer(ctx, m, line)
		}
		return nil
	},
	"help": func(ch *Chat, ctx context.Context, m *chatter, _ string) error {
		ch.answer(ctx, m, chatHelp)
		return nil
	},
	"quit": func(*Chat, context.Context, *chatter, string) error { return errChatQuit },
}

// hear does what a caller's line is for.
func (ch *Chat) hear(ctx context.Context, m *chatter, text []byte) error {
	said := string(text)
	switch {
	case len(said) > chatText:
		ch.answer(ctx, m, fmt.Sprintf("your line was not delivered: it has %d bytes, %d are allowed", len(said), chatText))
	case strings.HasPrefix(said, "//"):
		ch.say(ctx, m, said[1:])
	case strings.HasPrefix(said, "/"):
		return ch.command(ctx, m, said[1:])
	case said != "":
		ch.say(ctx, m, said)
	}
	return nil
}

// say tells m's room what he says.
func (ch *Chat) say(ctx context.Context, m *chatter, text string) {
	text = chatEscape(text)
	ch.lock(ctx, m, "")
	defer ch.mu.Unlock()
	if m.gone {
		return
	}
	line := m.line(text)
	ch.see(line)
	ch.tell(m.room, m, line.wire())
}

func (ch *Chat) command(ctx context.Context, m *chatter, text string) error {
	name, arg, _ := strings.Cut(text, " ")
	if do := chatCommands[foldName(name)]; do != nil {
		return do(ch, ctx, m, strings.Trim(arg, " \t"))
	}
	unknown := "unknown command " + quoteShort("/"+name)
	if near := nearest(foldName(name)); near != "" {
		unknown += ", did you mean /" + near + "?"
	}
	ch.answer(ctx, m, unknown+" "+chatHelp)
	return nil
}

// name is the command /name.
func (ch *Chat) name(ctx context.Context, m *chatter, name string) error {
	if err := checkOwnName(name, m.id); err != nil {
		ch.answer(ctx, m, fmt.Sprintf("you are still %s: the name %s %v", m.tag(), quoteShort(name), err))
		return nil
	}
	if other := ch.tryName(ctx, m, name); other != "" {
		ch.answer(ctx, m, fmt.Sprintf("you are still %s: the name %s is taken, or looks like that of %s", m.tag(), quoteShort(name), other))
	}
	return nil
}

// tryName gives m a name and tells his room, or returns the tag of who has it.
func (ch *Chat) tryName(ctx context.Context, m *chatter, name string) (other string) {
	ch.lock(ctx, m, "")
	defer ch.mu.Unlock()
	if other := ch.names[lookalike(name)]; other != nil && other != m {
		return other.tag()
	}
	line := ch.notice(m, "is now "+name)
	ch.rename(m, name)
	line.Name = name
	ch.see(line)
	ch.tell(m.room, nil, line.wire())
	return ""
}

// join is the command /join.
func (ch *Chat) join(ctx context.Context, m *chatter, room string) error {
	if err := checkName(room); err != nil {
		ch.answer(ctx, m, fmt.Sprintf("you are still in %s: the room %s %v", m.room.name, quoteShort(room), err))
		return nil
	}
	if foldName(room) == foldName(m.room.name) {
		ch.answer(ctx, m, "you are in "+m.room.name)
		return nil
	}
	ch.lock(ctx, m, room)
	defer ch.mu.Unlock()
	if m.gone {
		return nil
	}
	before := m.room.name
	if there := ch.rooms[foldName(room)]; there != nil {
		room = there.name
	}
	ch.tellOthers(m, "went to "+room)
	others := ch.move(m, room)
	m.notice(fmt.Sprintf("you are now in %s, with %s", room, count(others, "other")))
	ch.tellOthers(m, "came from "+before)
	return nil
}

// who lists the callers in m's room, and the rooms.
func (ch *Chat) who(m *chatter) []string {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	var callers, rooms []string
	for _, m := range m.room.in {
		callers = append(callers, fmt.Sprintf("%d %s", m.id, m.name))
	}
	for _, r := range ch.rooms {
		rooms = append(rooms, fmt.Sprintf("%s (%d)", r.name, len(r.in)))
	}
	slices.Sort(rooms)
	return append(wrap("in "+m.room.name+": ", callers), wrap("rooms: ", rooms)...)
}

// nearest returns the command that begins with name, or is at most two letters from it; "" if there is none.
func nearest(name string) string {
	best, least := "", 3
	for _, command := range slices.Sorted(maps.Keys(chatCommands)) {
		if name != "" && strings.HasPrefix(command, name) {
			return command
		}
		if d := letters(name, command); d < least {
			best, least = command, d
		}
	}
	return best
}

// letters returns how many letters must be changed, added or taken away to make b of a (Levenshtein), roughly for others
// than ASCII.
func letters(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

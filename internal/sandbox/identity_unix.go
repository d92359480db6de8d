//go:build unix

package sandbox

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// An identity is what the kernel knows a user by.
type identity struct {
	uid, gid int
	groups   []int
}

func lookUp(name string) (id identity, err error) {
	userName, groupName, withGroup := strings.Cut(name, ":")
	if userName == "" || withGroup && groupName == "" {
		return id, errors.New("write USER, USER:GROUP, or their numbers")
	}
	u, err := lookUpUser(userName)
	if err != nil {
		return id, err
	}
	switch {
	case withGroup:
		id.gid, err = lookUpGroup(groupName)
		id.groups = []int{id.gid}
	case u.Gid == "":
		err = errors.New("a number that is no user's has no group; write NUMBER:GROUP")
	default:
		id.gid, id.groups, err = groupsOf(u)
	}
	if err != nil {
		return id, err
	}
	if id.uid, err = parseID(u.Uid); err == nil && id.uid == 0 {
		err = errors.New("that is root, who would keep all rights")
	}
	return id, err
}

// lookUpUser finds a user by name or number. One with a number only has no name and no group.
func lookUpUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	if err == nil {
		return u, nil
	}
	if _, notANumber := parseID(name); notANumber != nil {
		return nil, err
	}
	if u, err := user.LookupId(name); err == nil {
		return u, nil
	}
	return &user.User{Uid: name}, nil
}

func lookUpGroup(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err == nil {
		return parseID(g.Gid)
	}
	if gid, notANumber := parseID(name); notANumber == nil {
		return gid, nil
	}
	return 0, err
}

// groupsOf returns the main group and all groups of a user.
func groupsOf(u *user.User) (gid int, groups []int, err error) {
	if gid, err = parseID(u.Gid); err != nil {
		return 0, nil, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return 0, nil, err
	}
	for _, text := range ids {
		id, err := parseID(text)
		if err != nil {
			return 0, nil, err
		}
		groups = append(groups, id)
	}
	return gid, groups, nil
}

// parseID reads the number of a user or group. The largest means "unchanged" to some system calls, and is nobody's.
func parseID(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n >= 1<<32-1 {
		return 0, fmt.Errorf("%q is no number of a user or group", text)
	}
	return int(n), nil
}

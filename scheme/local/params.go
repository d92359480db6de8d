package local

import (
	"io/fs"
	"strconv"
	"strings"

	"parley"
	"parley/internal/sock"
)

// flagOf reads a param that is a yes or no; no value at all is a yes, and no param the default.
func flagOf(a parley.Addr, name string, otherwise bool) (bool, error) {
	text, given := a.Params[name]
	if !given {
		return otherwise, nil
	}
	switch strings.ToLower(text) {
	case "", "yes", "true", "on", "1":
		return true, nil
	case "no", "false", "off", "0":
		return false, nil
	}
	return false, sock.Mistake("param %s=%s: write %s, %s=yes or %s=no", name, text, name, name, name)
}

// modeOf reads the permissions of a file that may be made.
func modeOf(a parley.Addr, otherwise fs.FileMode) (fs.FileMode, error) {
	text, given := a.Params["mode"]
	if !given {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 {
		return 0, sock.Mistake("param mode=%s: write the permissions as an octal number, mode=%04o for example", text, otherwise)
	}
	return fs.FileMode(n), nil
}

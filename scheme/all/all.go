// Package all registers every scheme beyond the built-in ones. It is for the program; a library imports the schemes that it
// needs.
package all

import (
	_ "parley/scheme/local"
	_ "parley/scheme/systemd"
)

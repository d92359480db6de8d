// Command parley makes two programs talk over sockets, and makes sure that both know whose turn it is.
package main

import (
	"os"

	"parley/internal/cli"
	_ "parley/scheme/all"
)

func main() { os.Exit(cli.Main()) }

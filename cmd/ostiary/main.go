// Command ostiary is the server, and the tools that its operators need beside
// it. See ostiary --help.
package main

import (
	"os"

	"github.com/ostiary/ostiary/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr))
}

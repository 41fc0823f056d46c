package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ostiary/ostiary/internal/config"
)

const yesUsage = "do it without asking"

var (
	errNobodyToAsk = errors.New("nothing was done, since there is no terminal to ask on; say --yes where it is meant")
	errNotMeant    = errors.New("nothing was done")
)

// confirm says what a command is about to hit, and asks whether that is meant.
func confirm(c *cobra.Command, yes bool, what string) error {
	return confirmTyping(c, yes, "yes", what)
}

// confirmTyping is confirm for what is worth more than a yes: the answer.
func confirmTyping(c *cobra.Command, yes bool, answer, what string) error {
	if yes {
		return nil
	}
	in, isFile := c.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		return &config.Error{Err: fmt.Errorf("%w\n%s", errNobodyToAsk, what)}
	}
	if _, err := fmt.Fprintf(c.ErrOrStderr(), "%s\nType %s to go on: ", what, answer); err != nil {
		return err
	}
	typed, _ := bufio.NewReader(in).ReadString('\n') // what broke off is no answer
	if strings.TrimSpace(typed) != answer {
		return errNotMeant
	}
	return nil
}

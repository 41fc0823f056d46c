package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

const exportHelp = `Print all clients, a line each, in the order in which they were made, as client
import takes them.

Secrets are not among them: a digest is of no use in another database. Where the
application lets secrets be seen again (secret_policy revealable), --with-secrets
prints them in clear; that is a look at all of them, and audited.

An export that breaks off is taken up where it was; --after takes one up that was
ended: the id in its last line.`

const exportExample = `  ostiary client export --output clients.ndjson
  ostiary client export --with-secrets | ostiary client import - --server https://other.example.com`

type exportFlags struct {
	output, after string
	withSecrets   bool
}

func exportCommand() *cobra.Command {
	var f exportFlags
	return remoteCommand(&cobra.Command{
		Use: "export", Short: "Print all clients, a line each, as import takes them", Long: exportHelp, Example: exportExample, Args: cobra.NoArgs,
	}, func(flags *pflag.FlagSet) {
		flags.StringVar(&f.output, "output", "", "write to this new `file`, which only you may read; with --after, to its end")
		flags.StringVar(&f.after, "after", "", "only those made after the client with this `id`")
		flags.BoolVar(&f.withSecrets, "with-secrets", false, "their secrets too, in clear")
	}, func(c *cobra.Command, r *remote, app string, _ []string) (err error) {
		out := c.OutOrStdout()
		if f.output != "" {
			file, err := openOutput(f.output, f.after != "")
			if err != nil {
				return &config.Error{Err: err}
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			out = file
		}
		progress := newProgress(c, -1)
		n, err := export(c, r, app, f, out, progress)
		progress.end()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.ErrOrStderr(), "%s\n", counted(n, "client"))
		return err
	})
}

// openOutput makes a file, or opens it to go on.
func openOutput(path string, goOn bool) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if goOn {
		flags = os.O_WRONLY | os.O_APPEND
	}
	return os.OpenFile(path, flags, 0o600) //nolint:gosec // the caller names it
}

// tries is how often an export is taken up again without a line in between.
const tries = 3

// export prints whole lines only, and takes up an answer that breaks off after
// the last of them.
func export(c *cobra.Command, r *remote, app string, f exportFlags, out io.Writer, progress *progress) (n int, err error) {
	buffered := bufio.NewWriter(out)
	for left := tries; ; left-- {
		answer, err := r.exportLines(c.Context(), app, f)
		if err != nil {
			return n, errors.Join(err, buffered.Flush())
		}
		before := n
		err = wholeLines(answer, func(line []byte, id string) error {
			n++
			f.after = id
			progress.add(len(line))
			_, err := buffered.Write(line)
			return err
		})
		_ = answer.Close()
		if err == nil {
			return n, buffered.Flush()
		}
		if n > before {
			left = tries
		}
		if left == 0 {
			return n, errors.Join(fmt.Errorf("the export broke off after the client %s: %w; go on with --after %s", f.after, err, f.after), buffered.Flush())
		}
	}
}

// wholeLines gives each line that has an end, and the id in it.
func wholeLines(in io.Reader, visit func(line []byte, id string) error) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		var client struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(line, &client); err != nil {
			return errors.New("a line is no JSON")
		}
		if err := visit(line, client.ID); err != nil {
			return err
		}
	}
}

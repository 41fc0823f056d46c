package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
)

// Export writes the clients of an application, one a line, in order of creation.
// begin is called before the first byte, when nothing can be refused any more.
func Export(
	ctx context.Context, clients *client.Operations, source audit.Source, app *application.Application, options client.ExportOptions,
	begin func() io.Writer,
) error {
	var out *bufio.Writer
	var lines *json.Encoder
	open := func() {
		out = bufio.NewWriterSize(begin(), 32<<10)
		lines = json.NewEncoder(out)
		lines.SetEscapeHTML(false)
	}
	err := clients.Export(ctx, source, app, options, func(r *client.Record) error {
		if out == nil {
			open()
		}
		return lines.Encode(r)
	})
	if err != nil {
		return err
	}
	if out == nil {
		open()
	}
	return out.Flush()
}

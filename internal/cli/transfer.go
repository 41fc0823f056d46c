package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ostiary/ostiary/internal/transfer"
)

// lines sends a request whose answer is lines. Such an answer takes as long as
// it takes.
func (r *remote) lines(ctx context.Context, method, app, path string, query url.Values, body io.Reader) (*http.Response, error) {
	target := r.server + "/api/v1/applications/" + url.PathEscape(app) + "/clients/" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", transfer.ContentType)
	}
	for _, edit := range r.api.RequestEditors {
		if err := edit(ctx, request); err != nil {
			return nil, err
		}
	}
	answer, err := (&http.Client{}).Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		if _, err := r.take(answer, err); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s answers %s: is it an Ostiary server?", r.server, answer.Status)
	}
	return answer, nil
}

// importLines sends clients and gives the report.
func (r *remote) importLines(ctx context.Context, app string, f *importFlags, lines []byte) (rows []transfer.Row, end transfer.End, err error) {
	query := url.Values{}
	for name, set := range map[string]bool{"dry_run": f.dryRun, "create_scopes": f.createScopes, "make_secrets": f.makeSecrets} {
		if set {
			query.Set(name, strconv.FormatBool(set))
		}
	}
	answer, err := r.lines(ctx, http.MethodPost, app, "import", query, bytes.NewReader(lines))
	if err != nil {
		return nil, end, err
	}
	defer func() { _ = answer.Body.Close() }()
	report := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer))
	for {
		var line struct {
			transfer.Row

			Summary *transfer.Summary `json:"summary"`
			Stopped string            `json:"stopped"`
		}
		switch err := report.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil, end, errors.New("the report broke off; import the file again, what is there is left alone")
		case err != nil:
			return nil, end, fmt.Errorf("read the report: %w", err)
		case line.Summary != nil:
			return rows, transfer.End{Summary: *line.Summary, Stopped: line.Stopped}, nil
		}
		rows = append(rows, line.Row)
	}
}

// exportLines gives the lines of an export.
func (r *remote) exportLines(ctx context.Context, app string, f exportFlags) (io.ReadCloser, error) {
	query := url.Values{}
	if f.after != "" {
		query.Set("after", f.after)
	}
	if f.withSecrets {
		query.Set("with_secrets", "true")
	}
	answer, err := r.lines(ctx, http.MethodGet, app, "export", query, nil)
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}

// progress shows on a terminal how much of a file was read or written, and
// nothing elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins to show it; size -1 is not known.
func newProgress(c *cobra.Command, size int64) *progress {
	errs, isFile := c.ErrOrStderr().(*os.File)
	if !isFile || !term.IsTerminal(int(errs.Fd())) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(
		size,
		progressbar.OptionSetWriter(errs),
		progressbar.OptionShowBytes(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30),
	)}
}

// reader counts what is read.
func (p *progress) reader(in io.Reader) io.Reader {
	if p.bar == nil {
		return in
	}
	counted := progressbar.NewReader(in, p.bar)
	return &counted
}

func (p *progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

// set says how much it is by now.
func (p *progress) set(n int64) {
	if p.bar != nil {
		_ = p.bar.Set64(n)
	}
}

// clear makes room for a line; the bar comes back with what is read next.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

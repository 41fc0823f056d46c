package cli

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

// condition is the flag that makes a write depend on what its caller has read.
type condition struct{ tag string }

const conditionFlag = "if-match"

func (m *condition) bind(flags *pflag.FlagSet) {
	flags.Var(m, conditionFlag, "only where nobody has changed it since: the `tag` that show --etag prints")
}

var tag = regexp.MustCompile(`^"?([0-9]+)"?$`)

// Set takes a tag, with the quotation marks that belong to it or without, since
// shells take them away.
func (m *condition) Set(text string) error {
	found := tag.FindStringSubmatch(text)
	if found == nil {
		return errors.New("write the tag as show --etag prints it")
	}
	m.tag = `"` + found[1] + `"`
	return nil
}

// String gives the tag.
func (m *condition) String() string { return m.tag }

// Type names the value in the usage.
func (*condition) Type() string { return "tag" }

// header sends it; where the flag is not given the write has no condition.
func (m *condition) header(ctx context.Context, r *http.Request) error {
	return ifMatch(m.tag)(ctx, r)
}

var errTagAlone = &config.Error{Err: errors.New("--etag prints the tag and nothing else; leave --json out")}

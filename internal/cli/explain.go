package cli

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
)

// statusError is an error with the exit status that the program ends with.
type statusError struct {
	status int
	err    error
}

// Error gives the text for who called.
func (e *statusError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *statusError) Unwrap() error { return e.err }

// explain gives a refusal of the API the text of a command line: what was
// refused stands beside its flag, and what to do next after it.
func explain(c *cobra.Command, err error) error {
	refused, ok := errors.AsType[*apiclient.Error](err)
	if !ok {
		return err
	}
	var text strings.Builder
	if all := refused.Refusals; len(all) == 1 && all[0].Message == refused.Detail {
		text.WriteString(placeOf(c, all[0].Location) + ": " + refused.Detail)
	} else {
		text.WriteString(refused.Detail)
		for _, r := range all {
			text.WriteString("\n  " + placeOf(c, r.Location) + ": " + r.Message)
		}
	}
	if next := nextStep(c, refused); next != "" {
		text.WriteString("\n" + next)
	}
	return &statusError{exitStatus(refused), errors.New(oneByOne(text.String()))}
}

// oneByOne is oneLine for a text of several lines.
func oneByOne(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = oneLine(line)
	}
	return strings.Join(lines, "\n")
}

func exitStatus(e *apiclient.Error) int {
	switch status := e.Status; {
	case !e.Problem:
		return failed
	case status == http.StatusNotFound:
		return absent
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return failed
	default:
		return refusedStatus
	}
}

// nextStep says what the API, which does not know of commands, cannot say.
func nextStep(c *cobra.Command, e *apiclient.Error) string {
	if !e.Problem {
		return "That is no answer of this API: is it the address of an Ostiary server, and nothing else before it? --server says another."
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return "Is this the server, the application and the client that you mean? --server, --application, and --client-id with its secret (or --credentials) say which; the client needs the feature owner."
	case http.StatusPreconditionFailed:
		if c.Flags().Changed(conditionFlag) {
			return "Look at it as it is now; show --etag prints its tag."
		}
		return "Somebody else has changed it meanwhile; run the command again."
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Sprintf("Try again in %s.", max(e.RetryAfter, 1e9))
	case http.StatusInternalServerError:
		return "The request is " + e.RequestID + " in the server's log."
	}
	return ""
}

// placeOf names the flag that a refused value came from, or its place in the
// document where it came from none: --redirect-uris, the 2nd.
func placeOf(c *cobra.Command, location string) string {
	field := strings.TrimPrefix(strings.TrimPrefix(location, "body."), "query.")
	name, rest := field, ""
	if i := strings.IndexAny(field, "[."); i >= 0 {
		name, rest = field[:i], field[i:]
	}
	flag := c.Flags().Lookup(flagName(name))
	if flag == nil {
		flag = c.Flags().Lookup(flagName(name) + "-file")
	}
	if flag == nil {
		return field
	}
	text := "--" + flag.Name
	if n, err := strconv.Atoi(strings.Trim(rest, "[]")); err == nil {
		return text + ", value " + strconv.Itoa(n+1)
	}
	return text + rest
}

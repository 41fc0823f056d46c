package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

//nolint:gosec // prose (G101)
const tokenInspectHelp = `Show a token family by its id, or the one that a token is of.

A token is read from a file, or from what is piped in: the arguments of a command
can be read by every process of the machine. The server is asked whether it is
alive; exit status 3 says that it is not.`

//nolint:gosec // ids, no credentials (G101)
const tokenInspectExample = `  ostiary token inspect AaIBcI6BQnnxtGaJktjQRQ
  pbpaste | ostiary token inspect --token-file -`

func tokenInspectCommand() *cobra.Command {
	var asJSON bool
	var file string
	return remoteCommand(&cobra.Command{
		Use: "inspect [FAMILY]", Short: "Show a token family, by its id or by one of its tokens", Long: tokenInspectHelp, Example: tokenInspectExample,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}, func(flags *pflag.FlagSet) {
		flags.StringVar(&file, "token-file", "", "read a token from this `file`; -: from what is piped in")
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		family, err := inspected(c, r, app, args, file)
		if err != nil {
			return err
		}
		found, err := r.take(r.api.GetToken(c.Context(), app, family))
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), found)
		}
		return printRecord(c.OutOrStdout(), found)
	})
}

// tokenText is how the texts of tokens begin, opaque and JWT.
var tokenText = regexp.MustCompile(`^(ost_[a-z]{2}_|eyJ)`)

// inspected gives the id of the family that is meant.
func inspected(c *cobra.Command, r *remote, app string, args []string, file string) (string, error) {
	switch {
	case len(args) == 1 && tokenText.MatchString(args[0]):
		return "", &config.Error{Err: errors.New("a token is no argument, which every process of the machine can read: give it with --token-file, - for what is piped in; and revoke this one")}
	case len(args) == 1 && file == "":
		return args[0], nil
	case len(args) == 0 && file != "":
		text, err := readToken(c, file)
		if err != nil {
			return "", &config.Error{Err: err}
		}
		return r.familyOf(c.Context(), app, text)
	}
	return "", &config.Error{Err: errors.New("say one family by its id, or a token with --token-file")}
}

// maxToken bounds what is read, in bytes.
const maxToken = 64 << 10

func readToken(c *cobra.Command, file string) (string, error) {
	if file != "-" {
		return config.SecretFromFile(file)
	}
	text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), maxToken))
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return "", errors.New("there is no token in what was piped in")
	}
	return strings.TrimSpace(string(text)), nil
}

var errNotAlive = &statusError{absent, errors.New("The token is not alive: it has expired or was revoked, or is none of this application.\n" + //nolint:staticcheck // a sentence, as the API's
	"ostiary token list --state revoked shows families that were revoked a short time ago.")}

// familyOf asks the server what a token is worth (RFC 7662), as the caller, who
// has the feature owner, and gives its family. An API of its own for this would
// say the same again.
func (r *remote) familyOf(ctx context.Context, app, text string) (string, error) {
	// Who may not see the application is told why, rather than that it is dead.
	if _, err := r.take(r.api.GetApplication(ctx, app)); err != nil {
		return "", err
	}
	form := url.Values{"token": {text}}.Encode()
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(r.server, "/")+"/"+url.PathEscape(app)+oauth.IntrospectPath, strings.NewReader(form))
	if err != nil {
		return "", fmt.Errorf("ask about the token: %w", err)
	}
	asked.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked.SetBasicAuth(url.QueryEscape(r.clientID), url.QueryEscape(r.clientSecret)) // RFC 6749 §2.3.1
	client := http.Client{Timeout: requestTimeout}
	said, err := r.take(client.Do(asked))
	if refused, ok := errors.AsType[*apiclient.Error](err); ok {
		status := failed
		if refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden {
			status = refusedStatus
		}
		return "", &statusError{status, fmt.Errorf("the server does not say what the token is worth (status %d)", refused.Status)}
	}
	if err != nil {
		return "", err
	}
	if string(said.get("active")) != "true" {
		return "", errNotAlive
	}
	// The jti of a token begins with the id of its family, of 128 bits.
	const size = 16
	jti, err := base64.RawURLEncoding.DecodeString(plainText(said, "jti"))
	if err != nil || len(jti) < size {
		return "", errors.New("the server gives the token no jti of its own making: is it of another version?")
	}
	return base64.RawURLEncoding.EncodeToString(jti[:size]), nil
}

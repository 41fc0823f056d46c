package client

import (
	"net/netip"
	"slices"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// rules in the order in which a request for a token meets them: the first that
// refuses answers.
func (s *Settings) rules() [3]rule.Rule {
	return [...]rule.Rule{
		s.AllowedIPs,
		s.GrantTypes,
		s.Scopes,
	}
}

// Subject is the client as its rules see it.
func (c *Client) Subject(app *application.Application) *rule.Subject {
	names := make([]string, len(c.Settings.Features))
	for i, f := range c.Settings.Features {
		names[i] = string(f)
	}
	return &rule.Subject{
		Kind: string(c.Kind), Public: c.Public, Features: names,
		OAuth2:      app.Settings.Profile() == application.OAuth2,
		ScopeNeeded: app.Settings.ScopePolicy != application.Optional,
	}
}

// CheckToken holds a request for a token to the client's rules; it leaves in
// request what is granted. The error is an *oauth.Error.
func (c *Client) CheckToken(app *application.Application, request *rule.Request) error {
	rules := c.Settings.rules()
	return c.check(app, request, rules[:])
}

// CheckAuthorization is CheckToken for a request that a user's browser brings,
// whose address is nobody's business: of the rules that is the first.
func (c *Client) CheckAuthorization(app *application.Application, request *rule.Request) error {
	rules := c.Settings.rules()
	return c.check(app, request, rules[1:])
}

func (c *Client) check(app *application.Application, request *rule.Request, rules []rule.Rule) error {
	subject := c.Subject(app)
	for _, r := range rules {
		if err := r.Check(subject, request); err != nil {
			return err
		}
	}
	return nil
}

// AllowsAddress reports whether the client may be used from an address.
func (c *Client) AllowsAddress(address netip.Addr) bool {
	return c.Settings.AllowedIPs.Allows(address)
}

// HasGrant reports whether the client may use a grant type, as far as it is for
// the client to say.
func (c *Client) HasGrant(app *application.Application, grant oauth.GrantType) bool {
	return slices.Contains(c.Settings.GrantTypes.InForce(c.Subject(app)), grant)
}

// Idle reports whether the client has no feature and no grant, and so may do
// nothing.
func (c *Client) Idle(app *application.Application) bool {
	return len(c.Settings.Features) == 0 && len(c.Settings.GrantTypes.InForce(c.Subject(app))) == 0
}

package client

import (
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/refresh"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// What follows stores values as they were written, in the one form in which each
// is kept: a value that is the default is stored as the zero value, so that it
// makes no difference whether it was written. Nothing is judged here.

// written gives a number in the form in which 0 stands for the default: a 0 that
// was written becomes one that every rule refuses.
func written(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

func (c *Client) storeAuthMethod(method string) {
	c.Settings.AuthMethod = ""
	if method != c.AuthMethod() {
		c.Settings.AuthMethod = method
	}
}

func (c *Client) storeAccessTokenLifetime(l Lifetime) {
	s := &c.Settings.AccessToken
	s.Never, s.Seconds = l.Never, 0
	if !l.Never && l.Seconds != int64(lifetime.Default/time.Second) {
		s.Seconds = written(l.Seconds)
	}
}

func (c *Client) storeRefreshTokenLifetime(seconds int64) {
	c.Settings.Refresh.Seconds = 0
	if seconds != refresh.DefaultSeconds {
		c.Settings.Refresh.Seconds = written(seconds)
	}
}

func (c *Client) storeRefreshFamilyLifetime(l Limit) {
	c.Settings.Refresh.FamilySeconds = 0
	if !l.Unlimited {
		c.Settings.Refresh.FamilySeconds = written(l.N)
	}
}

func (c *Client) storeRefreshLimit(l Limit) {
	c.Settings.Refresh.Limit = nil
	if !l.Unlimited {
		c.Settings.Refresh.Limit = &l.N
	}
}

// copied gives a copy of a list, nil where it is empty.
func copied(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return slices.Clone(values)
}

// trimmed is copied, without the white space around each value.
func trimmed(values []string) []string {
	out := copied(values)
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// grants gives the grants named; an empty list is a choice.
func grants(names []string) granttype.Setting {
	setting := make(granttype.Setting, len(names))
	for i, name := range names {
		setting[i] = oauth.GrantType(name)
	}
	return setting
}

func featureSet(names []string) Features {
	var set Features
	for _, name := range names {
		set = append(set, Feature(name))
	}
	return set
}

// settle takes out what is in a list twice, once the list was judged as it was
// written.
func (s *Settings) settle() {
	s.Features, s.GrantTypes, s.AllowedIPs = unique(s.Features), unique(s.GrantTypes), unique(s.AllowedIPs)
	s.Scopes.Allowed, s.Tags, s.Contacts = unique(s.Scopes.Allowed), unique(s.Tags), unique(s.Contacts)
	s.Redirect.URIs, s.Redirect.PostLogout = unique(s.Redirect.URIs), unique(s.Redirect.PostLogout)
	s.Redirect.Origins = unique(s.Redirect.Origins)
}

// unique gives each value once, in order.
func unique[S ~[]E, E comparable](values S) S {
	seen := make(map[E]bool, len(values))
	for _, v := range values {
		seen[v] = true
	}
	if len(seen) == len(values) {
		return values
	}
	out := make(S, 0, len(seen))
	for _, v := range values {
		if seen[v] {
			out = append(out, v)
			seen[v] = false
		}
	}
	return out
}

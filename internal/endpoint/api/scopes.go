package api

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// InScope is the path of one scope.
type InScope struct {
	InApplication
	Name string `path:"name" doc:"The name of the scope, percent-encoded."`
}

type writeScope struct {
	InScope
	IfMatch
}

func (a *api) scopes(b *builder) {
	declare[InScope, writeScope](b, &records[scope.Scope, scope.Fields, scope.Fields]{
		noun: "scope", plural: "scopes", parameter: "name", need: admin.EditScopes,
		body: writable[scope.Fields](b, "ScopeFields", map[string]string{
			"name":          "Up to 128 printable ASCII characters without space, quotation mark and backslash; unique without regard to case; fixed.",
			"description":   "Up to 2,000 characters.",
			"kind":          "Whom it is for: user, system, or any of these two. openid is that of the built-in ones.",
			"required_role": "The role that a user must have to be given it. It acts whenever a token is issued.",
			"url_patterns":  "What it opens at gateways: paths, or URLs with scheme and host, after methods where it is for these only: GET,POST /orders/*. A star stands for any characters of a segment; as the last segment, for all that is below.",
		}),
		summaries: summaries{
			list:   "List scopes by name, the built-in ones too",
			create: "Make a scope",
			get:    "Show a scope",
			edit:   "Change a scope",
			remove: "Delete a scope that no client is allowed and no live token carries",
		},
		core: func(*call) editor[scope.Scope, scope.Fields] { return a.Scopes },
		all: func(ctx context.Context, applicationID, after string, limit int) ([]*scope.Scope, string, error) {
			return a.Scopes.List(ctx, applicationID, after, limit)
		},
		read: (*scope.Fields).Patch,
		show: func(s *scope.Scope) (string, int64, scope.Fields) { return s.Name, s.Revision, s.Fields() },
	})
}

package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// issuers gives the applications their issuer identifiers.
func (a *App) issuers() application.Issuers {
	i := application.Issuers{PublicURL: a.publicURL()}
	if a.Instance != nil {
		i.Root = a.Instance.RootApplication
	}
	return i
}

// setRoot takes up --root-application. Without the flag the choice made before
// stands; another one is refused once it would take the issuer from tokens.
func (a *App) setRoot(ctx context.Context) error {
	id := a.config.RootApplication
	if id == "" || id == a.Instance.RootApplication {
		return nil
	}
	if _, err := a.Applications.Get(ctx, id); err != nil {
		return fmt.Errorf("--root-application %s: %w", id, err)
	}
	event := audit.New(audit.System(), id, "instance.root", "application:"+id, a.now())
	if err := a.Store.Instance().SetRoot(ctx, id, event); err != nil {
		if fault.KindOf(err) == fault.Conflict {
			return fmt.Errorf("--root-application %s: %w", id, err)
		}
		return fmt.Errorf("set the root application: %w", err)
	}
	a.Instance.RootApplication = id
	return nil
}

// rooted serves an application's paths without its id.
func rooted(next http.Handler, id string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, moved(r, "/"+id, ""))
	})
}

// rootedMetadata is what is below /.well-known: the root application's own
// metadata, and that of all others by their paths (RFC 8414 §3.1).
func rootedMetadata(next http.Handler, id string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			r = moved(r, "/"+id, "")
		case "/.well-known/oauth-authorization-server":
			r = moved(r, "", "/"+id)
		}
		next.ServeHTTP(w, r)
	})
}

// moved is a request to another path: one with something before and behind.
func moved(r *http.Request, before, behind string) *http.Request {
	target := *r.URL
	target.Path = before + target.Path + behind
	if target.RawPath != "" {
		target.RawPath = before + target.RawPath + behind
	}
	to := *r
	to.URL = &target
	return &to
}

package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/endpoint/configapi"
	"github.com/ostiary/ostiary/internal/endpoint/ops"
	"github.com/ostiary/ostiary/internal/endpoint/signin"
	"github.com/ostiary/ostiary/internal/web"
)

// Handler is what the main listener serves.
func (a *App) Handler(drain *web.Drain) http.Handler {
	throttle := web.NewThrottle(a.config.FailedAuthenticationsPerSecond, a.config.FailedAuthenticationsBurst, a.now)
	oauth := a.protocol(throttle)
	configuration := configapi.New(configapi.Deps{
		Applications: a.Applications, Clients: a.Clients, Operations: a.Operations, Throttle: throttle, Lease: a.Store.Lease,
	})
	pages := a.pages.Surface()
	elsewhere := web.NewSurface("none", writeBare)
	legacy := a.legacy(oauth, elsewhere)
	surfaces := map[string]http.Handler{
		".well-known": oauth, "config": configuration, "api": a.managementSurface(throttle), "oauth2": legacy, "integration": legacy,
		"static": a.static, "console": a.consoleHandler(elsewhere),
	}
	if root := a.issuers().Root; root != "" {
		surfaces["oauth2"], surfaces[".well-known"] = rooted(oauth, root), rootedMetadata(oauth, root)
		for _, segment := range signin.Segments {
			surfaces[segment] = rooted(pages, root)
		}
	}
	return &web.Front{
		Reserved:     application.Reserved,
		Surfaces:     surfaces,
		Applications: below(pages, oauth),
		Elsewhere:    elsewhere,
		Proxies:      web.Proxies{Trusted: a.config.TrustedProxies, Header: a.config.ForwardedHeader},
		NewID:        ident.Request,
		Now:          a.now,
		Observe:      a.Metrics.Observe,
		Draining:     drain.Begun,
		Gate:         a.Store.Lease,
	}
}

var errDraining = errors.New("the server is stopping")

// OpsHandler is what the operations listener serves.
func (a *App) OpsHandler(drain *web.Drain) http.Handler {
	surface := ops.New(ops.Deps{Metrics: a.Metrics, Ready: func(ctx context.Context) error {
		if drain.Begun() {
			return errDraining
		}
		return a.Store.Healthy(ctx)
	}})
	return &web.Front{
		Reserved:  func(string) bool { return true },
		Surfaces:  map[string]http.Handler{"livez": surface, "readyz": surface, "metrics": surface},
		Elsewhere: surface,
		NewID:     ident.Request,
		Now:       a.now,
	}
}

// Package app builds the server from its configuration: master key, store, key
// ring, registries, surfaces. It founds an empty store, starts and drains the
// listeners, and runs what runs in the background. It decides nothing about
// clients or tokens, and parses no flags.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/console"
	"github.com/ostiary/ostiary/internal/endpoint/ops"
	pages "github.com/ostiary/ostiary/internal/endpoint/signin"
	"github.com/ostiary/ostiary/internal/outbound"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/web"
)

// Bytes that each cache may take; together they keep the process below 200 MiB.
const (
	applicationCache = 2 << 20
	clientCache      = 24 << 20
	scopeCache       = 2 << 20
	resourceCache    = 2 << 20
	tokenCache       = 32 << 20
	userCache        = 16 << 20
	sessionCache     = 8 << 20
	consentCache     = 4 << 20
	logoCache        = 2 << 20
	consoleCache     = 4 << 10 // one application
)

// App is the server, built but not yet listening.
type App struct {
	Store        *store.DB
	Ring         *key.Ring
	Signers      *key.Signers
	Applications *application.Registry
	Clients      *client.Registry
	Operations   *client.Operations
	Scopes       *scope.Registry
	Resources    *resource.Registry
	Tokens       *token.Service
	Users        *user.Registry
	People       *user.Operations
	Sessions     *session.Service
	Consents     *consent.Service
	Messenger    *session.Messenger
	SignIn       *signin.Service
	// ConsoleSignIn is that of administrators.
	ConsoleSignIn *signin.Service
	Limits        *ratelimit.Limiter
	Usage         *usage.Meter
	Metrics       *ops.Metrics
	Instance      *instance.Instance // nil until the store is founded

	pages        *pages.Pages
	consolePages *pages.Pages
	console      *console.Console
	static       *web.Surface

	config    *config.Config
	now       func() time.Time
	plan      *plan
	planError error // why the store cannot be founded as the flags say
	built     atomic.Bool
	broken    chan error // holds why the store may not be written to any more
}

// Open opens the store and everything that stands on it. On an empty store it
// makes the master key and the data keys, unless the choices for the first
// start are malformed: then it makes nothing. now is time.Now, save in tests;
// adjust changes how the store is opened, for measurements.
func Open(ctx context.Context, c *config.Config, now func() time.Time, adjust ...func(*store.Options)) (*App, error) {
	a := &App{config: c, now: now, broken: make(chan error, 1)}
	a.plan, a.planError = planFounding(&c.Founding)
	if a.planError != nil && fresh(c) {
		return nil, a.planError
	}
	master, err := readMasterKey(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory cannot be made: %w; choose another with --data", err)
	}
	options := store.Options{
		Data: c.Data, URL: c.Database, Now: now,
		Fatal:    func(err error) { a.broken <- err },
		Regained: a.forget,
	}
	for _, change := range adjust {
		change(&options)
	}
	a.Store, err = store.Open(ctx, options)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w; let the user that runs the server write to %s, or choose another directory with --data", err, c.Data)
	}
	if err != nil {
		return nil, err
	}
	if err := a.build(ctx, master); err != nil {
		return nil, errors.Join(err, a.Store.Close())
	}
	return a, nil
}

// fresh reports whether nothing was ever kept where the configuration points.
// Of PostgreSQL that is not known before it was opened.
func fresh(c *config.Config) bool {
	_, err := os.Stat(filepath.Join(c.Data, "ostiary.db"))
	return c.Database == "" && errors.Is(err, os.ErrNotExist)
}

func (a *App) build(ctx context.Context, master *masterKey) error {
	keys := a.Store.Keys()
	if err := a.load(ctx); err != nil {
		return err
	}
	if a.Instance == nil && a.planError != nil {
		return a.planError
	}
	if master.missing {
		if err := a.makeMasterKey(ctx, master); err != nil {
			return err
		}
	}
	var err error
	a.Ring, err = key.OpenRing(ctx, keys, master.key, a.now)
	if err != nil {
		return master.explain(err)
	}
	a.Signers = key.NewSigners(keys, a.Ring, a.now, key.Schedule{Period: a.config.SigningKeyPeriod, PublishAhead: a.config.SigningKeyPublishAhead})
	a.Applications = application.NewRegistry(a.Store.Applications(), applicationCache)
	a.Clients = client.NewRegistry(a.Store.Clients(), a.Ring, a.now, clientCache)
	a.Limits = ratelimit.NewLimiter(a.Store.Usage(), a.now)
	a.Usage = usage.NewMeter(a.Store.Usage(), a.Limits, a.now)
	a.Clients.OnUse(a.Usage.Used)
	a.Scopes = scope.NewRegistry(a.Store.Scopes(), scopeCache)
	a.Resources = resource.NewRegistry(a.Store.Resources(), resourceCache)
	a.Users = user.NewRegistry(a.Store.Users(), userCache)
	a.Operations = client.NewOperations(a.Store.Clients(), a.Store.Audit(), a.Clients, a.Applications, a.Ring, a.now).
		WithScopes(a.Scopes.Scopes)
	a.Tokens = token.NewService(a.Store.Tokens(), token.Registries{Clients: a.Clients, Users: a.Users, Scopes: a.Scopes, Resources: a.Resources},
		a.Ring, a.Signers, a.now, tokenCache)
	a.Signers.OnWithdraw(a.Tokens.VoidVerified)
	if err := a.buildPeople(); err != nil {
		return err
	}
	a.Metrics = a.metrics()
	if err := a.makePages(); err != nil {
		return err
	}
	a.built.Store(true)
	return nil
}

// buildPeople makes what is for users: who they are, and what they did.
func (a *App) buildPeople() error {
	a.People = user.NewOperations(a.Store.Users(), a.Users, a.Ring, a.now)
	a.Sessions = session.NewService(a.Store.Sessions(), a.Users, a.now, sessionCache)
	a.People.OnEnd(func(context.Context, string, string) { a.Sessions.Ended() })
	a.Messenger = session.NewMessenger(session.MessengerDeps{
		Notices: a.Store.Notices(), Applications: a.Applications, Clients: a.Clients, Signers: a.Signers,
		Issuer: func(applicationID string) string { return a.issuers().Of(applicationID) },
		Poster: a.outbound(), Now: a.now,
	})
	a.Sessions.OnEnd(a.Messenger.Wake)
	a.Consents = consent.NewService(a.Store.Consents(), a.Users, a.Clients, a.Tokens.RevokeFor, a.now, consentCache)
	mailer, err := a.mailer()
	if err != nil {
		return err
	}
	deps := signin.Deps{
		Credentials: a.Store.Credentials(), Links: a.Store.Links(), Users: a.Users, Records: a.Store.Users(), People: a.People,
		Sessions: a.Sessions, Keys: a.Ring, Audit: a.Store.Audit(), PublicURL: a.publicURL(), Mailer: mailer, Now: a.now,
	}
	if a.SignIn, err = signin.NewService(deps); err != nil {
		return err
	}
	deps.PublicURL = a.consoleURL()
	a.ConsoleSignIn, err = signin.NewService(deps)
	return err
}

// outbound makes what sends the requests that the server makes by itself.
func (a *App) outbound() *outbound.Client {
	return outbound.New(a.config.OutboundAllow, outbound.Loopback(a.publicURL()))
}

// makeMasterKey makes the file of a master key, unless there is something that
// only the lost one opens.
func (a *App) makeMasterKey(ctx context.Context, master *masterKey) error {
	have, err := a.Store.Keys().DataKeys(ctx)
	if err != nil {
		return fmt.Errorf("read the data keys: %w", err)
	}
	if len(have) > 0 {
		return master.lost()
	}
	return master.make()
}

// load reads the instance, if the store is founded.
func (a *App) load(ctx context.Context) error {
	found, err := a.Store.Instance().Load(ctx)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the instance: %w", err)
	}
	a.Instance = found
	return nil
}

// forget drops what is remembered of the database.
func (a *App) forget() {
	if !a.built.Load() {
		return
	}
	a.Applications.VoidAll()
	a.Clients.VoidAll()
	a.Scopes.VoidAll()
	a.Resources.VoidAll()
	a.Tokens.VoidAll()
	a.Signers.VoidAll()
	a.Users.VoidAll()
	a.Sessions.VoidAll()
	a.Consents.VoidAll()
}

// publicURL is the one configured, else the one that the store was founded
// with, else where the server listens.
func (a *App) publicURL() string {
	switch {
	case a.config.PublicURL != "":
		return a.config.PublicURL
	case a.Instance != nil && a.Instance.PublicURL != "":
		return a.Instance.PublicURL
	default:
		return a.config.DerivedPublicURL()
	}
}

// flushTime bounds how long a stop may take to write what was counted.
const flushTime = 10 * time.Second

// Close ends what Open began: what was counted is written, and writes that are
// under way are finished.
func (a *App) Close() error {
	if a.console != nil {
		a.console.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := a.Usage.Flush(ctx); err != nil {
		slog.Error("what was counted in the last seconds is lost", "error", err)
	}
	if err := a.Sessions.Flush(ctx); err != nil {
		slog.Error("when sessions were last seen is lost", "error", err)
	}
	return a.Store.Close()
}

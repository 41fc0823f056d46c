package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
)

// FirstStart is what a first start made: all that is needed to begin, and shown
// this once.
type FirstStart struct {
	ApplicationID     string `json:"application_id"`
	Issuer            string `json:"issuer"`
	OwnerClientID     string `json:"owner_client_id"`
	OwnerClientSecret string `json:"owner_client_secret"`
	AdminEmail        string `json:"admin_email"`
	AdminPassword     string `json:"admin_password"`
	Data              string `json:"data"`
}

// applicationName is that of the first application; it can be changed later.
const applicationName = "Default application"

// ErrFounded says that the store holds an instance already.
var ErrFounded = errors.New("this store was set up before; its first application, owner client and administrator are there")

// Found makes the first application, its owner client, the administrator and
// the signing keys, in one transaction. keep is called before it, so that the
// secrets are in safe hands when they begin to count; nil: the caller shows
// them after. An error of keep stops the founding.
func (a *App) Found(ctx context.Context, keep func(*FirstStart) error) (*FirstStart, error) {
	if a.Instance != nil {
		return nil, ErrFounded
	}
	if a.planError != nil {
		return nil, a.planError
	}
	foundation, first, err := a.foundation(a.plan)
	if err != nil {
		return nil, err
	}
	if keep != nil {
		if err := keep(first); err != nil {
			return nil, err
		}
	}
	err = a.Store.Instance().Found(ctx, foundation)
	if fault.KindOf(err) == fault.Conflict {
		return nil, ErrFounded
	}
	if err != nil {
		return nil, fmt.Errorf("set up the first application: %w", err)
	}
	// The hash of the password took 19 MiB; an idle server has 17 without them.
	debug.FreeOSMemory()
	return first, a.load(ctx)
}

// foundation makes everything that the founding stores.
func (a *App) foundation(p *plan) (*instance.Foundation, *FirstStart, error) {
	// Microseconds are what the databases keep.
	now := a.now().UTC().Truncate(time.Microsecond)
	first := &FirstStart{
		ApplicationID: or(p.applicationID, ident.Application), OwnerClientID: or(p.ownerID, ident.Client),
		OwnerClientSecret: or(p.ownerSecret, ident.Secret), AdminEmail: p.email, AdminPassword: or(p.password, ident.PlainSecret),
	}
	if root := a.config.RootApplication; root != "" && root != first.ApplicationID {
		return nil, nil, errors.New("--root-application names another application than the one to be made: give --application-id the same id")
	}
	first.Issuer = application.Issuers{PublicURL: a.publicURL(), Root: a.config.RootApplication}.Of(first.ApplicationID)
	data, err := filepath.Abs(a.config.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("the data directory: %w", err)
	}
	first.Data = data
	f := &instance.Foundation{
		Instance:      instance.Instance{DefaultApplication: first.ApplicationID, PublicURL: a.publicURL(), RootApplication: a.config.RootApplication, FoundedAt: now},
		Application:   application.Application{ID: first.ApplicationID, Name: applicationName, Settings: p.settings, CreatedAt: now, UpdatedAt: now},
		Administrator: administrator.First(p.email, key.HashPassword(first.AdminPassword), now),
	}
	f.Owner = instance.NewOwner(&f.Application, first.OwnerClientID, a.ownerSecret(p, first, &f.Application, now), now)
	if f.SigningKeys, err = a.Signers.Found(first.ApplicationID, p.settings.Algorithm()); err != nil {
		return nil, nil, err
	}
	f.Events, err = foundingEvents(f, now)
	return f, first, err
}

func or(given string, fresh func() string) string {
	if given != "" {
		return given
	}
	return fresh()
}

func (a *App) ownerSecret(p *plan, first *FirstStart, app *application.Application, now time.Time) client.Secret {
	if p.ownerSecret != "" {
		return client.GivenSecret(a.Ring, app, first.OwnerClientID, p.ownerSecret, now)
	}
	return client.NewSecret(a.Ring, app, first.OwnerClientID, first.OwnerClientSecret, now)
}

// foundingEvents are the audit events of a founding, without its secrets.
func foundingEvents(f *instance.Foundation, now time.Time) ([]audit.Event, error) {
	var events []audit.Event
	for _, made := range []struct {
		application, action, object string
		after                       any
	}{
		{f.Application.ID, "application.create", "application:" + f.Application.ID, f.Application.Settings},
		{f.Application.ID, "client.create", "client:" + f.Owner.ID, f.Owner.Settings},
		{"", "administrator.create", administrator.Actor(f.Administrator), map[string]bool{"instance": true}},
	} {
		e := audit.New(audit.System(), made.application, made.action, made.object, now)
		after, err := json.Marshal(made.after)
		if err != nil {
			return nil, fmt.Errorf("write the audit event %s: %w", made.action, err)
		}
		e.After = after
		events = append(events, e)
	}
	for i := range f.SigningKeys {
		k := &f.SigningKeys[i]
		e := audit.New(audit.System(), k.ApplicationID, "key.create", "key:"+k.ID, now)
		e.After = k.Public
		events = append(events, e)
	}
	return events, nil
}

// FirstStartFile is the file, in the data directory, that a first start without
// a terminal leaves its secrets in.
const FirstStartFile = "first-start.json"

// FoundToFile is Found; what was made is in a file, on disk before the founding
// counts, and gone again where it failed.
func (a *App) FoundToFile(ctx context.Context) (string, error) {
	path := filepath.Join(a.config.Data, FirstStartFile)
	kept := false
	_, err := a.Found(ctx, func(first *FirstStart) error {
		content, err := json.MarshalIndent(first, "", "  ")
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		// One that is there already is of a founding that did not happen.
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("replace %s: %w", path, err)
		}
		if err := writeSecretFile(path, append(content, '\n')); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		kept = true
		return nil
	})
	if err != nil && kept && a.Instance == nil {
		err = errors.Join(err, os.Remove(path))
	}
	return path, err
}

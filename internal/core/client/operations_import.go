package client

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// ImportOptions say how an import goes about it.
type ImportOptions struct {
	DryRun bool // everything is judged, nothing is stored
	// MakeSecrets makes a secret for a client that has secrets and of which the
	// record brings none; else it has none until one is added.
	MakeSecrets bool
}

// Outcome is what became of a record.
type Outcome uint8

// The outcomes.
const (
	Refused Outcome = iota
	Created
	Unchanged // the client is there already, just as the record says
)

// Imported is what became of one record.
type Imported struct {
	Outcome Outcome
	ID      string // of the client
	Secret  string // that was made, in clear
	Refusal error  // fault.Problems, or a *fault.Error; nil where it was not refused
}

// MaxImport is how many records an import takes at a time: they are one
// transaction, which holds others up for about 10 ms.
const MaxImport = 100

var errDiffers = fault.Conflictf("There is a client of this id, or of this name and version, and it is not the same; edit it, or delete it first.")

// Import makes clients from records, all in one transaction, in their order, each
// refused alone. A client that is there already just as its record says is left
// as it is, so that an import that broke off can be begun again. The error is
// about the whole: then nothing of it is stored.
func (o *Operations) Import(ctx context.Context, source audit.Source, app *application.Application, records []Record, options ImportOptions) ([]Imported, error) {
	outcomes, prepared := make([]Imported, len(records)), make([]*Prepared, len(records))
	err := onAll(len(records), func(i int) (err error) {
		prepared[i], outcomes[i], err = o.prepareRecord(ctx, source, app, &records[i], options)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := o.compareAll(ctx, app.ID, records, outcomes, prepared); err != nil {
		return nil, err
	}
	clients, events, places := left(prepared)
	if len(clients) == 0 {
		return outcomes, nil
	}
	defer func() {
		for _, c := range clients {
			o.clients.Void(app.ID, c.ID)
		}
	}()
	refused, err := o.store.CreateMany(ctx, clients, events, options.DryRun)
	if err != nil {
		return nil, err
	}
	for n, i := range places {
		outcomes[i] = Imported{Outcome: Created, ID: clients[n].ID}
		switch {
		case refused[n] != nil:
			outcomes[i] = Imported{ID: records[i].givenID(), Refusal: refused[n]}
		case !options.DryRun && records[i].Secret == nil:
			outcomes[i].Secret = prepared[i].Secret
		}
	}
	return outcomes, nil
}

// left gives what is left to be stored, and the places where it stands.
func left(prepared []*Prepared) (clients []*Client, events []audit.Event, places []int) {
	for i, p := range prepared {
		if p != nil {
			clients, events, places = append(clients, p.Client), append(events, p.Event), append(places, i)
		}
	}
	return clients, events, places
}

// onAll calls f with 0 to n-1, on all processors, since a weak secret takes one
// of them 40 ms. It gives the first error, in their order.
func onAll(n int, f func(i int) error) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, n)
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = f(i)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// prepareRecord gives the client that a record makes, or nil and what is wrong
// with the record. The error is about neither.
func (o *Operations) prepareRecord(ctx context.Context, source audit.Source, app *application.Application, r *Record, options ImportOptions) (*Prepared, Imported, error) {
	p, err := o.fromRecord(ctx, source, app, r, options)
	if kind := fault.KindOf(err); err != nil && (kind == fault.Invalid || kind == fault.Conflict || kind == fault.Denied) {
		return nil, Imported{ID: r.givenID(), Refusal: err}, nil
	}
	return p, Imported{}, err
}

// givenID is the id that a record brings; "": it brings none.
func (r *Record) givenID() string {
	if r.ID == nil {
		return ""
	}
	return *r.ID
}

// compareAll takes out of prepared the clients that are there already, and says
// in outcomes whether they are as their records say.
func (o *Operations) compareAll(ctx context.Context, applicationID string, records []Record, outcomes []Imported, prepared []*Prepared) error {
	clients, _, places := left(prepared)
	there, err := o.store.Existing(ctx, clients)
	if err != nil {
		return err
	}
	return onAll(len(clients), func(n int) error {
		i, id := places[n], there[n]
		if id == "" || records[i].ID != nil && *records[i].ID != id { // then its name is in use, and it is refused
			return nil
		}
		c, err := o.store.Get(ctx, applicationID, id)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err == nil {
			outcomes[i], err = o.compare(ctx, c, clients[n], &records[i])
			prepared[i] = nil
		}
		return err
	})
}

// compare says whether a stored client is the one that a record makes.
func (o *Operations) compare(ctx context.Context, there, made *Client, r *Record) (Imported, error) {
	same := there.same(made) && (r.CreatedAt == nil || there.CreatedAt.Equal(made.CreatedAt))
	if same {
		var err error
		if same, err = o.sameSecret(ctx, there, r); err != nil {
			return Imported{}, err
		}
	}
	if !same {
		return Imported{ID: there.ID, Refusal: errDiffers}, nil
	}
	return Imported{ID: there.ID, Outcome: Unchanged}, nil
}

// sameSecret reports whether a client has the secret of a record. A hash that was
// remade cannot be compared any more; then it is taken for the same.
func (o *Operations) sameSecret(ctx context.Context, c *Client, r *Record) (bool, error) {
	switch {
	case r.Secret != nil:
		for i := range c.Secrets {
			s := &c.Secrets[i]
			ok, err := o.keys.VerifySecret(ctx, c.ApplicationID, c.ID, *r.Secret, s.Digest, s.DigestKey)
			if err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case r.SecretHash != nil:
		for i := range c.Secrets {
			if s := &c.Secrets[i]; string(s.Digest) == *r.SecretHash || s.Label == importedLabel {
				return true, nil
			}
		}
		return false, nil
	default:
		return true, nil
	}
}

// importedLabel is the label of a secret of which an import brought the hash.
const importedLabel = "imported"

// fromRecord makes the client of a record without storing it.
func (o *Operations) fromRecord(ctx context.Context, source audit.Source, app *application.Application, r *Record, options ImportOptions) (*Prepared, error) {
	p, err := o.Prepare(ctx, source, app, r.Fields, CreateOptions{Import: true, NoSecret: r.SecretHash != nil || !options.MakeSecrets})
	if err != nil {
		return nil, err
	}
	if r.SecretHash != nil {
		switch {
		case r.Secret != nil:
			return nil, fault.Problems{fault.Invalidf("secret_hash", "Give the secret or its hash, not both.")}
		case !p.Client.hasSecrets():
			return nil, fault.Problems{fault.Invalidf("secret_hash", "A public client has no secret; leave this out.")}
		}
		if err := o.role.Require(admin.GiveSecrets); err != nil {
			return nil, err
		}
		p.Client.Secrets = []Secret{{ID: ident.Record(), Label: importedLabel, Digest: []byte(*r.SecretHash), CreatedAt: p.Client.CreatedAt}}
		p.Event.After = p.Client.document()
	}
	if r.CreatedAt != nil {
		at := r.CreatedAt.UTC().Truncate(time.Microsecond)
		if at.After(p.Client.UpdatedAt) || at.Before(time.Unix(1, 0)) {
			return nil, fault.Problems{fault.Invalidf("created_at", "Write a time in the past.")}
		}
		p.Client.CreatedAt = at
	}
	return p, nil
}

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
	if err := o.prepareAll(ctx, source, app, records, options, outcomes, prepared); err != nil {
		return nil, err
	}
	var clients []*Client
	var events []audit.Event
	var places []int
	defer func() {
		for _, c := range clients {
			o.clients.Void(app.ID, c.ID)
		}
	}()
	for i, p := range prepared {
		if p == nil {
			continue
		}
		clients, events, places = append(clients, p.Client), append(events, p.Event), append(places, i)
	}
	if len(clients) == 0 {
		return outcomes, nil
	}
	refused, err := o.store.CreateMany(ctx, clients, events, options.DryRun)
	if err != nil {
		return nil, err
	}
	for n, i := range places {
		outcomes[i] = Imported{Outcome: Created, ID: clients[n].ID}
		switch {
		case refused[n] != nil:
			outcomes[i] = Imported{Refusal: refused[n]}
			if records[i].ID != nil {
				outcomes[i].ID = clients[n].ID
			}
		case !options.DryRun && records[i].Secret == nil:
			outcomes[i].Secret = prepared[i].Secret
		}
	}
	return outcomes, nil
}

// prepareAll judges records on all processors, since those with weak secrets
// take 40 ms each. It leaves nil in prepared for what is not to be stored.
func (o *Operations) prepareAll(
	ctx context.Context, source audit.Source, app *application.Application, records []Record, options ImportOptions,
	outcomes []Imported, prepared []*Prepared,
) error {
	existing, err := o.existing(ctx, app.ID, records)
	if err != nil {
		return err
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, len(records))
	for range min(runtime.GOMAXPROCS(0), len(records)) {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(records) {
					return
				}
				prepared[i], outcomes[i], errs[i] = o.prepareRecord(ctx, source, app, &records[i], options, existing)
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

// existing gives the ids of the records that a client has already: as a rule
// none, so that they need not be looked for one by one.
func (o *Operations) existing(ctx context.Context, applicationID string, records []Record) (map[string]bool, error) {
	var ids []string
	for i := range records {
		if id := records[i].ID; id != nil {
			ids = append(ids, *id)
		}
	}
	found, err := o.store.Existing(ctx, applicationID, ids)
	if err != nil {
		return nil, err
	}
	existing := make(map[string]bool, len(found))
	for _, id := range found {
		existing[id] = true
	}
	return existing, nil
}

// prepareRecord gives the client that a record makes, or what became of it
// already. The error is about neither.
func (o *Operations) prepareRecord(
	ctx context.Context, source audit.Source, app *application.Application, r *Record, options ImportOptions, existing map[string]bool,
) (*Prepared, Imported, error) {
	p, err := o.fromRecord(ctx, source, app, r, options)
	id := ""
	if r.ID != nil {
		id = *r.ID
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.Denied:
		return nil, Imported{ID: id, Refusal: err}, nil
	case fault.Internal, fault.NotFound, fault.Unavailable, fault.Precondition:
		if err != nil {
			return nil, Imported{}, err
		}
	}
	if r.ID != nil && !existing[id] {
		return p, Imported{}, nil
	}
	there, err := o.there(ctx, app.ID, r, p.Client)
	if err != nil || there == nil {
		return p, Imported{}, err
	}
	same := there.same(p.Client) && (r.CreatedAt == nil || there.CreatedAt.Equal(p.Client.CreatedAt))
	if same {
		same, err = o.sameSecret(ctx, there, r)
	}
	switch {
	case err != nil:
		return nil, Imported{}, err
	case !same:
		return nil, Imported{ID: there.ID, Refusal: errDiffers}, nil
	default:
		return nil, Imported{ID: there.ID, Outcome: Unchanged}, nil
	}
}

// there gives the stored client that a record is about, nil where there is none.
func (o *Operations) there(ctx context.Context, applicationID string, r *Record, made *Client) (*Client, error) {
	find := func() (*Client, error) { return o.store.Named(ctx, applicationID, made.Name, made.Version) }
	if r.ID != nil {
		find = func() (*Client, error) { return o.store.Get(ctx, applicationID, *r.ID) }
	}
	c, err := find()
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil // there is none, and that is no error here
	}
	return c, err
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

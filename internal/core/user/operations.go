package user

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Operations are every change that can be made to a user. Each is one
// transaction with its audit event; what a registry remembers is void before the
// caller hears of it.
type Operations struct {
	store Store
	users *Registry
	keys  *key.Ring
	now   func() time.Time
	onEnd func(ctx context.Context, applicationID, uuid string)
	role  admin.Role // what whoever makes the changes may do
}

// NewOperations puts them together.
func NewOperations(store Store, users *Registry, keys *key.Ring, now func() time.Time) *Operations {
	return &Operations{store: store, users: users, keys: keys, now: now, onEnd: func(context.Context, string, string) {}, role: admin.Owner}
}

// OnEnd has end called after everything that a user was given died: deactivation,
// another password, deletion. It is called before the operations are used. The
// user's sessions are dead already, by their era; there is time to tell others.
func (o *Operations) OnEnd(end func(ctx context.Context, applicationID, uuid string)) { o.onEnd = end }

// By gives the operations as an administrator of a role may use them. Programs,
// which have the feature owner or the scope ostiary:admin, and users themselves
// have the role owner.
func (o *Operations) By(role admin.Role) *Operations {
	by := *o
	by.role = role
	return &by
}

var (
	errNoUser = fault.NotFoundf("There is no such user.")
	errStale  = fault.Preconditionf("The user has changed since it was read; read it again.")
)

// Create makes a user. An address in use is a fault Conflict with the Field
// "email"; refused values are fault.Problems.
func (o *Operations) Create(ctx context.Context, source audit.Source, applicationID string, fields Fields) (*User, error) {
	u, event, err := o.Made(ctx, source, applicationID, fields)
	if err != nil {
		return nil, err
	}
	defer o.users.Void(applicationID, u.UUID)
	if err := o.store.Create(ctx, u, event); err != nil {
		return nil, err
	}
	return u, nil
}

// Made is Create without storing it: a user as he would be stored, and the audit
// event to store with him.
func (o *Operations) Made(ctx context.Context, source audit.Source, applicationID string, fields Fields) (*User, audit.Event, error) {
	if err := o.role.Require(admin.EditUsers); err != nil {
		return nil, audit.Event{}, err
	}
	if err := fields.settle(o.Schema(applicationID)).OrNil(); err != nil {
		return nil, audit.Event{}, err
	}
	now := o.moment()
	u := &User{ApplicationID: applicationID, UUID: ident.User(), Era: NewEra(), CreatedAt: now}
	hash, err := o.hash(ctx, fields.Password)
	if err != nil {
		return nil, audit.Event{}, err
	}
	u.PasswordHash = hash
	u.set(&fields, now)
	event := audit.New(source, applicationID, "user.create", object(u.UUID), now)
	event.After, err = u.document()
	return u, event, err
}

// hash gives a password's hash, in the queue of all; "" where there is none.
func (o *Operations) hash(ctx context.Context, password *string) (string, error) {
	if password == nil || *password == "" {
		return "", nil
	}
	return o.keys.HashSecret(ctx, NormalPassword(*password))
}

// Get gives a user as it is stored now; NotFound where there is none.
func (o *Operations) Get(ctx context.Context, applicationID, uuid string) (*User, error) {
	if !validUUID(uuid) {
		return nil, errNoUser
	}
	return o.store.Get(ctx, applicationID, uuid)
}

// List gives users, and the place to go on from: the zero value where there are
// no more. A page may have fewer than search.Limit, none even.
func (o *Operations) List(ctx context.Context, applicationID string, search Search) ([]*User, Place, error) {
	return o.store.Search(ctx, applicationID, search)
}

// Patch changes a user by a merge patch (RFC 7396) over its fields; null is the
// default. Where a revision is given and is not that of the user, it is a fault
// Precondition. NotFound, Conflict and fault.Problems as Create. Whoever is
// deactivated, or is given another password, loses all sessions and tokens.
func (o *Operations) Patch(ctx context.Context, source audit.Source, applicationID, uuid string, patch []byte, revision *int64) (*User, error) {
	var probe Fields // for the password, which is hashed before the transaction
	if err := probe.Patch(patch); err != nil {
		return nil, err
	}
	return o.change(ctx, source, applicationID, uuid, revision, probe.Password, func(f *Fields) error { return f.Patch(patch) })
}

// SetPassword gives a user another password, and ends all that was given to the
// one who knew the old one.
func (o *Operations) SetPassword(ctx context.Context, source audit.Source, applicationID, uuid, password string) (*User, error) {
	if password == "" {
		return nil, fault.Problems{errPasswordShort}
	}
	return o.change(ctx, source, applicationID, uuid, nil, &password, func(f *Fields) error {
		f.Password = &password
		return nil
	})
}

// SetActive switches a user off, which kills all that the user was given, or on
// again, which revives none of it.
func (o *Operations) SetActive(ctx context.Context, source audit.Source, applicationID, uuid string, active bool) (*User, error) {
	return o.change(ctx, source, applicationID, uuid, nil, nil, func(f *Fields) error {
		f.Inactive = !active
		return nil
	})
}

// VerifyEmail notes that the user reads what is sent to an address. A user who
// has another address by now is a fault Conflict.
func (o *Operations) VerifyEmail(ctx context.Context, source audit.Source, applicationID, uuid, email string) (*User, error) {
	return o.change(ctx, source, applicationID, uuid, nil, nil, func(f *Fields) error {
		if f.Email == "" || f.Email != email {
			return fault.Conflictf("The user has another e-mail address now.")
		}
		f.EmailVerified = true
		return nil
	})
}

// change edits the fields of a user. A password is judged for its form first, and
// hashed, so that the transaction need not wait for it.
func (o *Operations) change(ctx context.Context, source audit.Source, applicationID, uuid string, revision *int64, password *string, edit func(*Fields) error) (*User, error) {
	if err := o.role.Require(admin.EditUsers); err != nil {
		return nil, err
	}
	if !validUUID(uuid) {
		return nil, errNoUser
	}
	hash := ""
	if password != nil && *password != "" && CheckPassword(*password, "") == nil { // else the edit is refused
		var err error
		if hash, err = o.hash(ctx, password); err != nil {
			return nil, err
		}
	}
	now, era := o.moment(), NewEra()
	ended := false
	after, err := o.store.Change(ctx, applicationID, uuid, func(u *User) (event audit.Event, err error) {
		if revision != nil && *revision != u.Revision {
			return event, errStale
		}
		fields := u.fields()
		if err := edit(&fields); err != nil {
			return event, err
		}
		if err := fields.settle(o.Schema(applicationID)).OrNil(); err != nil {
			return event, err
		}
		event = audit.New(source, applicationID, u.action(&fields), object(uuid), now)
		if event.Before, err = u.document(); err != nil {
			return event, err
		}
		if ended = fields.Password != nil || fields.Inactive && !u.Inactive; ended {
			u.Era = era
		}
		if fields.Password != nil {
			u.PasswordHash = hash
		}
		u.set(&fields, now)
		event.After, err = u.document()
		return event, err
	})
	o.changed(ctx, applicationID, uuid, ended && err == nil)
	return after, err
}

// changed forgets what is remembered of a user, and has whoever must know told
// that all is over.
func (o *Operations) changed(ctx context.Context, applicationID, uuid string, ended bool) {
	o.users.Void(applicationID, uuid)
	if ended {
		o.onEnd(context.WithoutCancel(ctx), applicationID, uuid)
	}
}

// Delete removes a user, and kills all that the user was given. revision and
// NotFound as Patch.
func (o *Operations) Delete(ctx context.Context, source audit.Source, applicationID, uuid string, revision *int64) error {
	if err := o.role.Require(admin.EditUsers); err != nil {
		return err
	}
	if !validUUID(uuid) {
		return errNoUser
	}
	now := o.moment()
	err := o.store.Delete(ctx, applicationID, uuid, func(u *User) (event audit.Event, err error) {
		if revision != nil && *revision != u.Revision {
			return event, errStale
		}
		event = audit.New(source, applicationID, "user.delete", object(uuid), now)
		event.Before, err = u.document()
		return event, err
	})
	o.changed(ctx, applicationID, uuid, err == nil)
	return err
}

// Schema gives the attributes that the users of an application may have.
func (o *Operations) Schema(string) Schema { return DefaultSchema() }

// action is what audit events call a change: its gravest part.
func (u *User) action(f *Fields) string {
	switch {
	case f.Inactive && !u.Inactive:
		return "user.deactivate"
	case f.Password != nil:
		return "user.password"
	case !f.Inactive && u.Inactive:
		return "user.activate"
	default:
		return "user.update"
	}
}

// set stores fields that were settled, save the password. Another number is not
// verified because the one before was.
func (u *User) set(f *Fields, now time.Time) {
	switch {
	case !f.EmailVerified:
		u.EmailVerifiedAt = time.Time{}
	case u.EmailVerifiedAt.IsZero() || u.Email != f.Email:
		u.EmailVerifiedAt = now
	}
	const phone, verified = "phoneNumber", "phoneNumberVerified"
	if f.Attributes[phone] != u.Attributes[phone] && f.Attributes[verified] == u.Attributes[verified] {
		delete(f.Attributes, verified)
	}
	u.Email, u.Attributes, u.Roles, u.Inactive, u.UpdatedAt = f.Email, f.Attributes, f.Roles, f.Inactive, now
}

// document is a user as audit events show it.
func (u *User) document() (json.RawMessage, error) {
	document, err := json.Marshal(struct {
		Email         string         `json:"email"`
		EmailVerified bool           `json:"email_verified"`
		Attributes    map[string]any `json:"attributes,omitempty"`
		Roles         []string       `json:"roles,omitempty"`
		Active        bool           `json:"active"`
		Password      bool           `json:"password"` // whether there is one
	}{u.Email, !u.EmailVerifiedAt.IsZero(), u.Attributes, u.Roles, !u.Inactive, u.PasswordHash != ""})
	if err != nil {
		return nil, fmt.Errorf("write user %s: %w", u.UUID, err)
	}
	return document, nil
}

// moment is now, in the microseconds that the databases keep.
func (o *Operations) moment() time.Time { return o.now().UTC().Truncate(time.Microsecond) }

// NewEra makes an era that no user has had, save once in 2^63 times.
func NewEra() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// object names a user in audit events, as their object and as their actor.
func object(uuid string) string { return "user:" + uuid }

// validUUID reports whether a text can be a user's uuid, so that no question for
// the database is made of another.
func validUUID(uuid string) bool {
	if len(uuid) != 36 {
		return false
	}
	for i := range len(uuid) {
		switch c := uuid[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

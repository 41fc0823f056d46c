package administrator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Operations are every change that can be made to administrators, as user
// records are changed: one transaction each, with its audit event.
type Operations struct {
	people *user.Operations
	users  *user.Registry
	by     Access
	// changes of who administers the instance go one after the other, so that two
	// of them cannot take the last one away.
	changes *sync.Mutex
}

// NewOperations puts them together, as the server itself may use them.
func NewOperations(people *user.Operations, users *user.Registry) *Operations {
	return &Operations{people: people, users: users, by: Access{Instance: true}, changes: &sync.Mutex{}}
}

// By gives the operations as an administrator may use them.
func (o *Operations) By(access Access) *Operations {
	by := *o
	by.by = access
	return &by
}

var (
	errLast    = fault.Conflictf("This is the last active administrator of the instance; make another one first.")
	errAccount = fault.Invalidf("email", "There is no administrator with this address. An administrator of the instance makes accounts.")
	errRole    = fault.Invalidf("role", "Choose one of the roles owner, manager, developer and viewer.")
	errEmail   = fault.Invalidf("email", "Write the e-mail address with which the administrator signs in.")
)

// instance refuses whoever does not administer the instance.
func (o *Operations) instance() error {
	if o.by.Instance {
		return nil
	}
	return fault.Deniedf("This needs an administrator of the instance.")
}

// List gives at most limit administrators in the order in which they were made,
// and the place to go on from; as user.Operations.List.
func (o *Operations) List(ctx context.Context, after user.Place, limit int) ([]*user.User, user.Place, error) {
	return o.people.List(ctx, ApplicationID, user.Search{After: after, Limit: limit})
}

// Place is a place in the list of who has a role in an application; the zero value
// is its beginning.
type Place struct {
	user.Place
	Role admin.Role `json:"r,omitempty"` // among those who have it
}

// ParsePlace reads what Place.String wrote; false where it is no place.
func ParsePlace(text string) (at Place, ok bool) {
	if text == "" {
		return at, true
	}
	ok = json.Unmarshal([]byte(text), &at) == nil && at.Sequence > 0 && slices.Contains(Assignable(), at.Role)
	return at, ok
}

// String gives the place as a cursor; "" for the beginning.
func (p Place) String() string {
	if p == (Place{}) {
		return ""
	}
	text, _ := json.Marshal(p) //nolint:errchkjson // numbers and texts cannot fail
	return string(text)
}

// In gives at most limit administrators who have a role in an application, the
// highest roles first, and the place to go on from: the zero value where there are
// no more. Those of the instance are not among them.
func (o *Operations) In(ctx context.Context, applicationID string, after Place, limit int) ([]*user.User, Place, error) {
	var list []*user.User
	var last Place
	roles := Assignable()
	for _, role := range roles[max(0, slices.Index(roles, after.Role)):] {
		search := user.Search{Role: string(role) + separator + applicationID, After: after.Place, Limit: limit + 1 - len(list)}
		found, next, err := o.people.List(ctx, ApplicationID, search)
		if err != nil {
			return nil, Place{}, err
		}
		for _, u := range found {
			if len(list) == limit {
				return list, last, nil
			}
			list, last = append(list, u), Place{user.Place{Sequence: u.Sequence}, role}
		}
		if next != (user.Place{}) {
			return list, Place{next, role}, nil
		}
		after = Place{}
	}
	return list, Place{}, nil
}

// Get gives an administrator; NotFound where there is none.
func (o *Operations) Get(ctx context.Context, uuid string) (*user.User, error) {
	return o.people.Get(ctx, ApplicationID, uuid)
}

// Create makes an administrator, who chooses a password by a link. An address in
// use is a fault Conflict, a refused one Invalid.
func (o *Operations) Create(ctx context.Context, source audit.Source, email string, access Access) (*user.User, error) {
	if err := o.instance(); err != nil {
		return nil, err
	}
	if email == "" {
		return nil, fault.Problems{errEmail}
	}
	return o.people.Create(ctx, source, ApplicationID, user.Fields{Email: email, Roles: access.words()})
}

// SetAccess replaces what an administrator may do. revision is as in
// user.Operations.Patch. Taking the instance from its last active administrator
// is a fault Conflict.
func (o *Operations) SetAccess(ctx context.Context, source audit.Source, uuid string, access Access, revision *int64) (*user.User, error) {
	if err := o.instance(); err != nil {
		return nil, err
	}
	return o.keepingOne(ctx, uuid, !access.Instance, func() (*user.User, error) { return o.store(ctx, source, uuid, access, revision) })
}

// Grant gives an administrator a role in an application, or takes it away where
// it is ""; an owner of the application may do it.
func (o *Operations) Grant(ctx context.Context, source audit.Source, applicationID, uuid string, role admin.Role) (*user.User, error) {
	if err := o.by.In(applicationID).Require(admin.EditApplication); err != nil {
		return nil, err
	}
	if role != "" && !slices.Contains(Assignable(), role) {
		return nil, fault.Problems{errRole}
	}
	o.changes.Lock() // what else the account may do is read before it is written
	defer o.changes.Unlock()
	u, err := o.Get(ctx, uuid)
	if err != nil {
		return nil, err
	}
	return o.store(ctx, source, uuid, AccessOf(u).with(applicationID, role), &u.Revision)
}

// Forget takes every role in an application from whoever has one: of the one
// that had its id before.
func (o *Operations) Forget(ctx context.Context, source audit.Source, applicationID string) error {
	const atOnce = 100
	var after Place
	for {
		found, next, err := o.In(ctx, applicationID, after, atOnce)
		if err != nil {
			return err
		}
		for _, u := range found {
			if _, err := o.Grant(ctx, source, applicationID, u.UUID, ""); err != nil {
				return err
			}
		}
		if next == (Place{}) {
			return nil
		}
		after = next
	}
}

// Find gives the administrator of an address, for Grant: a fault Invalid of the
// field email where there is none.
func (o *Operations) Find(ctx context.Context, email string) (*user.User, error) {
	u, err := o.users.ByEmail(ctx, ApplicationID, email)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.Problems{errAccount}
	}
	return u, err
}

func (o *Operations) store(ctx context.Context, source audit.Source, uuid string, access Access, revision *int64) (*user.User, error) {
	patch, err := json.Marshal(map[string]any{"roles": access.words()})
	if err != nil {
		return nil, fmt.Errorf("write the roles of administrator %s: %w", uuid, err)
	}
	return o.people.Patch(ctx, source, ApplicationID, uuid, patch, revision)
}

// SetActive switches an administrator off, which ends all sessions, or on again.
func (o *Operations) SetActive(ctx context.Context, source audit.Source, uuid string, active bool) (*user.User, error) {
	if err := o.instance(); err != nil {
		return nil, err
	}
	return o.keepingOne(ctx, uuid, !active, func() (*user.User, error) {
		return o.people.SetActive(ctx, source, ApplicationID, uuid, active)
	})
}

// Delete removes an administrator. What he made stays.
func (o *Operations) Delete(ctx context.Context, source audit.Source, uuid string) error {
	if err := o.instance(); err != nil {
		return err
	}
	_, err := o.keepingOne(ctx, uuid, true, func() (*user.User, error) {
		return nil, o.people.Delete(ctx, source, ApplicationID, uuid, nil)
	})
	return err
}

// keepingOne makes a change, unless it takes (taking) the instance from the last
// active administrator that it has.
func (o *Operations) keepingOne(ctx context.Context, uuid string, taking bool, change func() (*user.User, error)) (*user.User, error) {
	o.changes.Lock()
	defer o.changes.Unlock()
	if taking {
		last, err := o.last(ctx, uuid)
		if err != nil {
			return nil, err
		}
		if last {
			return nil, errLast
		}
	}
	return change()
}

// last reports whether an administrator is the only active one of the instance.
func (o *Operations) last(ctx context.Context, uuid string) (bool, error) {
	mine := false
	active := true
	search := user.Search{Role: ofInstance, Active: &active, Limit: 2}
	for {
		found, next, err := o.people.List(ctx, ApplicationID, search)
		if err != nil {
			return false, err
		}
		for _, u := range found {
			if u.UUID != uuid {
				return false, nil
			}
			mine = true
		}
		if next == (user.Place{}) {
			return mine, nil
		}
		search.After = next
	}
}

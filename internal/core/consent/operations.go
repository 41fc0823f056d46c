package consent

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/mergepatch"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// maxScopes bounds what one client is granted.
const maxScopes = 500

// Fields is a consent as programs write it.
type Fields struct {
	UserID   string
	ClientID string
	Scopes   []string
}

// View is a consent as the management API answers it.
type View struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`
	ClientID  string    `json:"client_id"`
	Scopes    []string  `json:"scopes"`
	GrantedAt time.Time `json:"granted_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// View gives the consent as it is answered.
func (c *Consent) View() View {
	v := View{c.ID, c.UserID, c.ClientID, c.Scopes, c.GrantedAt, c.UpdatedAt}
	if v.Scopes == nil {
		v.Scopes = []string{}
	}
	return v
}

// Revision tells two states of a consent apart.
func (c *Consent) Revision() int64 { return c.UpdatedAt.UnixMicro() }

// Patch reads a merge patch (RFC 7396) onto the fields; the error is
// fault.Problems. On the zero value it reads a whole document. What is read only
// is ignored.
func (f *Fields) Patch(document []byte) error {
	var ignored string
	return mergepatch.Apply(
		document,
		mergepatch.Member{Name: "user_id", Text: &f.UserID},
		mergepatch.Member{Name: "client_id", Text: &f.ClientID},
		mergepatch.Member{Name: "scopes", List: &f.Scopes},
		mergepatch.Member{Name: "id", Text: &ignored},
		mergepatch.Member{Name: "granted_at", Text: &ignored},
		mergepatch.Member{Name: "updated_at", Text: &ignored},
	)
}

// settle gives what is wrong with the scopes.
func (f *Fields) settle() (problems fault.Problems) {
	if len(f.Scopes) == 0 {
		problems.Add("scopes", "Name at least one scope; delete the consent to take all of them back.")
	}
	if len(f.Scopes) > maxScopes {
		problems.Add("scopes", "Write at most %d entries.", maxScopes)
		return problems
	}
	for i, name := range f.Scopes {
		if !oauth.ValidScopeName(name) {
			problems.Add("scopes["+strconv.Itoa(i)+"]", "This cannot be the name of a scope.")
		}
	}
	return problems
}

var (
	errThere = fault.Takenf("client_id", "There is a consent of this user to this client already; change that one.")
	errStale = fault.Preconditionf("The consent has changed since it was read; read it again.")
	errGone  = fault.NotFoundf("There is no such consent.")
	errFixed = fault.Problems{fault.Invalidf("", "User and client of a consent are fixed; make another consent and delete this one.")}
)

// Create notes a consent that a user gave elsewhere. A user or client that is not
// there, and other refused values, are fault.Problems; a consent that is there is
// a Conflict.
func (s *Service) Create(ctx context.Context, source audit.Source, applicationID string, fields Fields) (*Consent, error) {
	problems := fields.settle()
	_, err := s.users.Get(ctx, applicationID, fields.UserID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		problems.Add("user_id", "There is no such user in this application.")
	case err != nil:
		return nil, err
	}
	_, err = s.clients.Get(ctx, applicationID, fields.ClientID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		problems.Add("client_id", "There is no such client in this application.")
	case err != nil:
		return nil, err
	}
	if err := problems.OrNil(); err != nil {
		return nil, err
	}
	return s.change(ctx, source, applicationID, fields.UserID, fields.ClientID, func(c *Consent) error {
		if !c.GrantedAt.IsZero() {
			return errThere
		}
		c.Scopes = fields.Scopes
		return nil
	})
}

// Patch changes the scopes of a consent by a merge patch (RFC 7396). Where a
// revision is given and is not that of the consent, it is a fault Precondition;
// NotFound where there is none. Tokens that are out keep what they carry.
func (s *Service) Patch(ctx context.Context, source audit.Source, applicationID, id string, patch []byte, revision *int64) (*Consent, error) {
	found, err := s.store.Get(ctx, applicationID, id)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, source, applicationID, found.UserID, found.ClientID, func(c *Consent) error {
		if c.ID != id || c.GrantedAt.IsZero() {
			return errGone
		}
		if revision != nil && *revision != c.Revision() {
			return errStale
		}
		fields := Fields{c.UserID, c.ClientID, slices.Clone(c.Scopes)}
		if err := fields.Patch(patch); err != nil {
			return err
		}
		if fields.UserID != c.UserID || fields.ClientID != c.ClientID {
			return errFixed
		}
		if err := fields.settle().OrNil(); err != nil {
			return err
		}
		c.Scopes = fields.Scopes
		return nil
	})
}

// Delete is Revoke by the id; revision and NotFound as Patch.
func (s *Service) Delete(ctx context.Context, source audit.Source, applicationID, id string, revision *int64) error {
	found, err := s.store.Get(ctx, applicationID, id)
	if err != nil {
		return err
	}
	if revision != nil && *revision != found.Revision() {
		return errStale
	}
	return s.Revoke(ctx, source, applicationID, found.UserID, found.ClientID)
}

// Package usage owns what is known of how clients are used: when a client and
// each of its secrets was last used, and how many tokens were issued and refused
// in each hour, and why. It counts in memory, so that no request waits for it,
// and writes together what came together. It judges nobody: limits are the rule
// ratelimit's, whose daily counts are written with these.
package usage

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Kept is how long counts are kept.
const Kept = 90 * 24 * time.Hour

// Hour is a whole hour of the clock, in hours since 1970, UTC.
type Hour int64

// HourOf gives the hour of a time.
func HourOf(t time.Time) Hour { return Hour(t.Unix() / 3600) }

// Time gives its beginning.
func (h Hour) Time() time.Time { return time.Unix(int64(h)*3600, 0).UTC() }

// Step is how long a time counts are added up over.
type Step Hour

// The steps. A day is one of UTC, and its hour the first.
const (
	Hourly Step = 1
	Daily  Step = 24
)

// Kind is what was asked for.
type Kind uint8

// The kinds. Of the calls of introspection, revocation, userinfo and gateways
// only those are counted that were refused.
const (
	OtherGrant Kind = iota // a token, by a grant type that is unknown or missing
	AuthorizationCode
	Password
	ClientCredentials
	RefreshToken
	Introspection
	Revocation
	Authorization // a code, or an ID token by itself, from the authorization endpoint
	Implicit      // an access token from there
	UserInfo
	Check // of a gateway
	kinds
)

// kindNames are kept in the database: what is here stays.
var kindNames = [kinds]string{
	"other", string(oauth.AuthorizationCode), string(oauth.Password), string(oauth.ClientCredentials), string(oauth.RefreshToken),
	"introspection", "revocation", "authorization", string(oauth.Implicit), "userinfo", "check",
}

// KindOf gives the kind of a request for a token.
func KindOf(grant oauth.GrantType) Kind {
	for k := AuthorizationCode; k < Introspection; k++ {
		if kindNames[k] == string(grant) {
			return k
		}
	}
	return OtherGrant
}

// String is the grant type, or the endpoint's word where no token was asked for.
func (k Kind) String() string { return kindNames[k] }

// Token reports whether a token was asked for.
func (k Kind) Token() bool { return k < Introspection || k == Implicit }

// Reason is what came of a request: the code of its OAuth error (RFC 6749 §5.2
// and its sisters), or Issued.
type Reason uint8

// Issued is the reason of what was not refused. Its name is empty.
const Issued Reason = 0

// reasonNames are kept in the database: what is here stays.
var reasonNames = [...]string{
	"", "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	"invalid_target", "access_denied", "slow_down", "temporarily_unavailable", "server_error",
	"unsupported_response_type", "login_required", "consent_required", "interaction_required", "account_selection_required",
	"invalid_token", "insufficient_scope", "other",
}

const reasons = len(reasonNames)

// ReasonOf gives the reason of an error's code.
func ReasonOf(code string) Reason {
	for i, name := range reasonNames {
		if name == code {
			return Reason(i)
		}
	}
	return Reason(reasons - 1)
}

// String is the error's code; "" of Issued.
func (r Reason) String() string { return reasonNames[r] }

// Failed reports whether the server could not do its part, which is no refusal.
func (r Reason) Failed() bool {
	return reasonNames[r] == "server_error" || reasonNames[r] == "temporarily_unavailable"
}

// Count is how many requests of a kind came to the same end in an hour, or in a
// longer step from there.
type Count struct {
	Hour   Hour
	Kind   string // a grant type, "other", or the word of an endpoint
	Reason string // the code of the OAuth error; "": issued
	N      int64
}

// Issued reports whether tokens were issued; a code is none.
func (c *Count) Issued() bool { return c.Reason == "" && c.Kind != kindNames[Authorization] }

// Refused reports whether something was refused. That the server failed is no
// refusal.
func (c *Count) Refused() bool { return c.Reason != "" && !ReasonOf(c.Reason).Failed() }

// Denied reports whether the client, or its address, was not let in. A user who
// said no was asked.
func (c *Count) Denied() bool { return c.Reason == denied && c.Kind != kindNames[Authorization] }

const denied = "access_denied"

// ClientCount is a Count of one client, by its Sequence.
type ClientCount struct {
	Client int64
	Count
}

// Total is a Count of a whole application. "" stands for those requests whose
// application was not known: an id that a stranger made up is not kept.
type Total struct {
	ApplicationID string
	Count
}

// Use is when a client, by its Sequence, was last used.
type Use struct {
	Client int64
	At     time.Time
}

// SecretUse is when a secret of a client was last used.
type SecretUse struct {
	Client int64
	Secret string
	At     time.Time
}

// Batch is what one transaction stores: about maxStep rows. What is in one
// slice differs in all but times and numbers, and is in order.
type Batch struct {
	Uses    []Use
	Secrets []SecretUse
	Clients []ClientCount
	Totals  []Total
	Days    []ratelimit.Day
}

// Last is when a client and its secrets were last used; a zero time or an
// absent secret: never.
type Last struct {
	Client  time.Time
	Secrets map[string]time.Time // by the id of the secret
}

// Place is a place in the list of unused clients; the zero value its beginning.
type Place struct {
	Since    time.Time // when the client there was last used, or else made
	Sequence int64
}

// Unused is a client that was not used for long.
type Unused struct {
	ID string
	Place
}

// Denial is how many requests of a client were Denied.
type Denial struct {
	ID string
	N  int64
}

// Store keeps usage. Every method is one transaction.
type Store interface {
	// Add adds the counts to those that are there, and sets what was used last
	// where it was used earlier. Clients and secrets that are gone are passed over.
	// Where tokens were issued, that is noted of the application for ever.
	Add(ctx context.Context, batch *Batch) error
	// Last gives when the clients with these Sequences, and their secrets, were
	// last used. One that never was may be absent.
	Last(ctx context.Context, sequences []int64) (map[int64]Last, error)
	// Unused gives at most limit clients of an application that were last used
	// before the time given, or made before it and never used: those first that
	// are unused for longest. active nil: whether they are active or not.
	Unused(ctx context.Context, applicationID string, before time.Time, active *bool, after Place, limit int) ([]Unused, error)
	// Clients gives the counts of a client, by its Sequence, from the first hour
	// to the last, added up by step, in their order.
	Clients(ctx context.Context, sequence int64, first, last Hour, step Step) ([]Count, error)
	// Totals gives those of an application.
	Totals(ctx context.Context, applicationID string, first, last Hour, step Step) ([]Count, error)
	// Denials gives at most limit clients of an application whose requests were
	// Denied from the first hour to the last, those first that have most. No more are
	// looked at than 2,000 counts of a client in an hour, those of other applications
	// included, the latest first.
	Denials(ctx context.Context, applicationID string, first, last Hour, limit int) ([]Denial, error)
	// DayUse gives how many requests of a client are counted against its daily
	// quota on a day (days since 1970, UTC).
	DayUse(ctx context.Context, sequence, day int64) (int64, error)
	// Remove removes at most limit counts from before the time given, and says
	// how many it removed.
	Remove(ctx context.Context, before time.Time, limit int) (int, error)
}

package token

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
)

// verdict is what is to be done with a code or a refresh token, by its family.
type verdict uint8

const (
	turn   verdict = iota // it is good: exchange it
	again                 // it was exchanged a moment ago: the same answer once more
	refuse                // invalid_grant, and nothing else happens
	theft                 // it is used a second time: the family dies
)

// exchange is one presentation of a code or a refresh token.
type exchange struct {
	*Presented
	kind       kind
	generation int32
	now        time.Time
	family     *Family
	user       *user.User
	asked      Latest // what the request asks for, normalized; the rest of it is not set
	beyond     error  // it asks for what the family has not: the *oauth.Error
	lost       bool   // another presentation was faster than this one
}

// Redeem exchanges an authorization code (RFC 6749 §4.1.3). What is refused is an
// *oauth.Error. A code that is presented a second time takes its family with it
// (§4.1.2).
func (s *Service) Redeem(ctx context.Context, p *Presented) (*Minted, error) {
	return s.exchange(ctx, codeKind, p)
}

// Refresh exchanges a refresh token (RFC 6749 §6). What is refused is an
// *oauth.Error. One that is presented a second time gets the same answer within
// the application's retry window, and only while its successor was not
// presented; else it takes its family with it (RFC 9700 §4.14.2).
func (s *Service) Refresh(ctx context.Context, p *Presented) (*Minted, error) {
	return s.exchange(ctx, refreshKind, p)
}

// exchange decides by what is remembered only whether to try: the condition of
// the UPDATE confirms it. Anything else, and whatever comes of an attempt that
// failed, is decided by the row itself.
func (s *Service) exchange(ctx context.Context, k kind, p *Presented) (*Minted, error) {
	o, f, ok, err := s.open(ctx, k, p.Application.ID, p.Text)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, k.refusal()
	}
	e := &exchange{Presented: p, kind: k, generation: o.generation, now: s.clock(), family: f}
	for fresh := false; ; fresh = true {
		minted, done, err := s.attempt(ctx, e, fresh)
		if done || err != nil {
			return minted, err
		}
		e.family, err = s.reread(ctx, f.ApplicationID, f.ID)
		if fault.KindOf(err) == fault.NotFound { // it has ended, and was removed
			return nil, k.refusal()
		}
		if err != nil {
			return nil, fmt.Errorf("read the token's family: %w", err)
		}
	}
}

// attempt takes one decision; done is false where it has to be taken anew, by
// the row.
func (s *Service) attempt(ctx context.Context, e *exchange, fresh bool) (minted *Minted, done bool, err error) {
	decided, err := s.judge(ctx, e)
	switch {
	case err != nil:
		return nil, true, err
	case decided == turn:
		minted, done, err = s.turn(ctx, e)
		e.lost = !done
		return minted, done, err
	case !fresh:
		return nil, false, nil
	case decided == again:
		minted, err = s.answerAgain(ctx, e)
		return minted, true, err
	case decided == theft:
		return nil, true, s.kill(ctx, e)
	default:
		return nil, true, e.kind.refusal()
	}
}

// refusal is the answer to what cannot be exchanged; why is not told.
func (k kind) refusal() error {
	if k == codeKind {
		return oauth.InvalidGrant("The code is unknown, expired or used, or was not issued to this client for this redirect_uri and code_verifier; have the user authorize anew.")
	}
	return oauth.InvalidGrant("The refresh token is unknown, expired, used or revoked, or was not issued to this client; have the user authorize anew.")
}

// judge decides. The client is the one that authenticated: what was issued to
// another is refused, and no theft.
func (s *Service) judge(ctx context.Context, e *exchange) (verdict, error) {
	f := e.family
	if f.ClientID != e.Client.ID || f.ClientEra != e.Client.Era || f.GrantType != oauth.AuthorizationCode || !f.RevokedAt.IsZero() {
		return refuse, nil
	}
	u, ok, err := s.owner(ctx, f)
	if err != nil || !ok {
		return refuse, err
	}
	e.user = u
	e.ask()
	if e.kind == codeKind {
		return e.judgeCode(), nil
	}
	return e.judgeRefresh(), nil
}

// judgeCode looks at what binds a code before it looks whether the code was used:
// who has not all of it must not be able to end what another redeemed.
func (e *exchange) judgeCode() verdict {
	f := e.family
	sent := f.Details.RedirectURI
	if known := e.Client.Redirect(e.Application).URIs; sent == "" && len(known) == 1 {
		// The request could do without, and so can this one (RFC 6749 §4.1.3).
		if e.RedirectURI != "" {
			sent = known[0]
		}
	}
	switch {
	case sent != e.RedirectURI:
		return refuse
	case f.Details.CodeChallenge == "" && e.Verifier != "": // RFC 9700 §4.8.2
		return refuse
	case f.Details.CodeChallenge != "" && !oauth.VerifyPKCE(f.Details.CodeChallenge, e.Verifier):
		return refuse
	case f.Generation > 0:
		return theft
	case !e.now.Before(f.AccessExpiresAt):
		return refuse
	default:
		return turn
	}
}

// judgeRefresh is the state machine of refresh tokens.
func (e *exchange) judgeRefresh() verdict {
	f, setting := e.family, &e.Client.Settings.Refresh
	recent := e.generation == f.RotatedFrom && e.now.Before(f.RotatedAt.Add(e.Application.Settings.RetryWindow()))
	switch {
	case e.generation > f.Generation: // the row is older than the token: a restore
		return refuse
	case !f.FamilyExpiresAt.IsZero() && !e.now.Before(f.FamilyExpiresAt):
		return refuse
	case e.generation == f.RefreshGeneration:
		switch {
		case e.lost && recent && e.beyond == nil && e.asksTheSame(): // one that does not rotate, used by several at once
			return again
		case !e.now.Before(f.RefreshExpiresAt), setting.Limit != nil && int64(f.Refreshes) >= *setting.Limit:
			return refuse
		default:
			return turn
		}
	case recent && (e.lost || !e.keeps()): // one that stays counts each time: there is no successor that may be lost
		return again
	case f.RefreshGeneration == 0, e.keeps(): // past its limit; or reuse is no theft
		return refuse
	default:
		return theft
	}
}

// code gives the code that is exchanged, "" where it is something else.
func (e *exchange) code() string {
	if e.kind == codeKind {
		return e.Text
	}
	return ""
}

// keeps reports whether the client's refresh token stays the same
// (refresh_rotation: false). That of a public client never does (RFC 9700
// §2.2.2).
func (e *exchange) keeps() bool { return e.Client.Settings.Refresh.Kept && !e.Client.Public }

func (e *exchange) asksTheSame() bool {
	return slices.Equal(e.asked.AskedScopes, e.family.Latest.AskedScopes) && slices.Equal(e.asked.AskedResources, e.family.Latest.AskedResources)
}

// ask normalizes what the request asks for, all of which the family must have.
func (e *exchange) ask() {
	f := e.family
	e.asked, e.beyond = Latest{}, nil
	missing := func(whole []string) func(string) bool {
		return func(name string) bool { return !slices.Contains(whole, name) }
	}
	switch {
	case slices.ContainsFunc(e.Scopes, missing(f.Scopes)):
		e.beyond = oauth.InvalidScope("A scope that was asked for was not granted by the user; ask for fewer, or have the user authorize anew.")
	case slices.ContainsFunc(e.Resources, missing(f.Audience)):
		e.beyond = oauth.InvalidTarget("A resource that was asked for was not named when the user authorized; name one of those, or have the user authorize anew.")
	default:
		e.asked = Latest{AskedScopes: normalized(e.Scopes, f.Scopes), AskedResources: normalized(e.Resources, f.Audience)}
	}
}

// normalized gives a part of a list in one order, nil where it is all of it or
// nothing was named.
func normalized(part, whole []string) []string {
	if len(part) == 0 {
		return nil
	}
	out := slices.Clone(part)
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == len(whole) {
		return nil
	}
	for i := range out {
		out[i] = strings.Clone(out[i])
	}
	return out
}

// turn exchanges what was presented, and stores that; false where the row was
// not any more what it was taken for.
func (s *Service) turn(ctx context.Context, e *exchange) (*Minted, bool, error) {
	if e.beyond != nil {
		return nil, true, e.beyond
	}
	next, err := s.successor(ctx, e)
	if err != nil {
		return nil, true, err
	}
	minted, err := s.mint(ctx, e, next)
	if err != nil {
		return nil, true, err
	}
	ticket := s.families.Ticket(next.ID)
	rotated, died, err := s.store.Rotate(ctx, next)
	for _, id := range died {
		s.Void(id)
	}
	if err != nil {
		return nil, true, fmt.Errorf("store an exchange: %w", err)
	}
	if !rotated {
		return nil, false, nil
	}
	s.families.Fill(ticket, next.ID, next)
	return minted, true, nil
}

// successor gives the family as the exchange leaves it.
func (s *Service) successor(ctx context.Context, e *exchange) (*Family, error) {
	f := e.family
	next := *f
	next.Generation++
	next.AccessIssuedAt = e.now
	if e.Source.Address.IsValid() {
		next.Address = e.Source.Address.String()
	}
	next.Latest = e.asked
	format, err := s.entitle(ctx, e, &next)
	if err != nil {
		return nil, err
	}
	if e.kind == codeKind {
		e.begin(&next)
	} else {
		e.rotate(&next)
	}
	next.setAccess(e.Client, format, e.now)
	if e.kind == refreshKind {
		next.Latest.Outlives = f.outlives(&next)
	}
	return &next, nil
}

// begin gives a family that a code began its first refresh token, where the
// client may have one.
func (e *exchange) begin(next *Family) {
	setting := &e.Client.Settings.Refresh
	if !e.Client.HasGrant(e.Application, oauth.RefreshToken) || setting.Limit != nil && *setting.Limit <= 0 {
		return
	}
	if setting.FamilySeconds > 0 {
		next.FamilyExpiresAt = next.IssuedAt.Truncate(time.Second).Add(time.Duration(setting.FamilySeconds) * time.Second)
	}
	next.RefreshGeneration = next.Generation
	next.RefreshExpiresAt = next.within(e.now.Add(setting.Lifetime()))
}

// rotate gives a family its next refresh token, where there is to be one.
func (e *exchange) rotate(next *Family) {
	setting := &e.Client.Settings.Refresh
	next.RotatedFrom, next.RotatedAt = e.generation, e.now
	next.Refreshes++
	switch {
	case setting.Limit != nil && int64(next.Refreshes) >= *setting.Limit:
		next.RefreshGeneration = 0
		next.RefreshExpiresAt = e.now.Add(e.Application.Settings.RetryWindow())
	case e.keeps():
	default:
		next.RefreshGeneration = next.Generation
		next.RefreshExpiresAt = next.within(e.now.Add(setting.Lifetime()))
	}
}

// within bounds a time by the end of the family.
func (f *Family) within(t time.Time) time.Time {
	if !f.FamilyExpiresAt.IsZero() && f.FamilyExpiresAt.Before(t) {
		return f.FamilyExpiresAt
	}
	return t
}

// outlives gives Latest.Outlives of the family that follows f.
func (f *Family) outlives(next *Family) int64 {
	switch {
	case next.Never():
		return 0
	case f.Never(), f.Latest.Outlives == never:
		return never
	}
	if end := max(f.AccessExpiresAt.UnixMicro(), f.Latest.Outlives); end > next.AccessExpiresAt.UnixMicro() {
		return end
	}
	return 0
}

// entitle sets what the access token carries: what is asked for, less what the
// client or the user may have no more. It gives the format that its resources
// want.
func (s *Service) entitle(ctx context.Context, e *exchange, next *Family) (lifetime.Format, error) {
	names, identifiers := e.Scopes, e.Resources
	if len(names) == 0 {
		names = next.Scopes
	}
	if len(identifiers) == 0 {
		identifiers = next.Audience
	}
	target, err := s.resources.Target(ctx, next.ApplicationID, identifiers)
	if err != nil {
		return "", err
	}
	allowed := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(e.Client.Settings.Scopes.Allowed, name) })
	if allowed, err = s.scopes.Suiting(ctx, next.ApplicationID, next.GrantType, allowed); err != nil {
		return "", err
	}
	if len(allowed) == 0 && len(names) > 0 {
		return "", oauth.InvalidScope("The client may have none of these scopes any more; ask for others, or ask the operator.")
	}
	if allowed, err = s.scopes.ForUser(ctx, next.ApplicationID, allowed, e.user.Roles); err != nil {
		return "", err
	}
	if allowed, err = target.Admit(allowed, len(e.Scopes) > 0); err != nil {
		return "", err
	}
	if len(allowed) < len(next.Scopes) {
		next.Latest.Scopes = owned(allowed)
	}
	if audience := target.Audience(); len(audience) < len(next.Audience) {
		next.Latest.Audience = audience
	}
	return target.Format(), nil
}

// late is when `expires_in` of an answer that is given again would mislead: after
// the retry window as it is by default.
const late = 10 * time.Second

// mint makes the answer of an exchange from the family as it leaves it.
func (s *Service) mint(ctx context.Context, e *exchange, f *Family) (*Minted, error) {
	a := f.latest()
	minted := &Minted{Scopes: a.scopesOf(f)}
	if !f.Never() {
		// Whole seconds, as `exp` has them. An answer that is given again is the same
		// to the letter; one that comes late says what is left, and may come when its
		// token has ended already.
		since := f.issuedAt()
		if e.now.Sub(since) > late {
			since = e.now
		}
		minted.Lifetime = max(f.AccessExpiresAt.Sub(since.Truncate(time.Second)), time.Second)
	}
	var err error
	if minted.Text, err = s.access(ctx, e.Application, e.Issuer, f, &a); err != nil {
		return nil, err
	}
	if f.RefreshGeneration > 0 {
		if minted.Refresh, err = s.seal(refreshKind, f, f.RefreshGeneration, nil); err != nil {
			return nil, err
		}
	}
	if slices.Contains(minted.Scopes, oauth.ScopeOpenID) {
		minted.IDToken, err = s.identify(ctx, &identity{
			application: e.Application, issuer: e.Issuer, user: e.user, family: f, scopes: minted.Scopes, access: minted.Text,
			code: e.code(), again: e.kind == refreshKind,
		})
	}
	return minted, err
}

// answerAgain gives the answer that the last refresh was given.
func (s *Service) answerAgain(ctx context.Context, e *exchange) (*Minted, error) {
	switch {
	case e.beyond != nil:
		return nil, e.beyond
	case e.asksTheSame():
		return s.mint(ctx, e, e.family)
	case !slices.Equal(e.asked.AskedScopes, e.family.Latest.AskedScopes):
		return nil, oauth.InvalidScope("This refresh token was used a moment ago for other scopes; ask for the same again, or use its successor.")
	default:
		return nil, oauth.InvalidTarget("This refresh token was used a moment ago for other resources; ask for the same again, or use its successor.")
	}
}

// Why a family dies by itself.
const (
	codeReused    = "authorization code used twice"
	refreshReused = "refresh token used twice"
)

// kill takes the family back whose code or refresh token came a second time.
func (s *Service) kill(ctx context.Context, e *exchange) error {
	why := refreshReused
	if e.kind == codeKind {
		why = codeReused
	}
	event, err := s.revocation(e.Source, e.family, why)
	if err != nil {
		return err
	}
	defer s.Void(e.family.ID)
	if _, err := s.store.Revoke(ctx, e.family.ApplicationID, e.family.ID, why, event); err != nil {
		return fmt.Errorf("revoke a token family: %w", err)
	}
	return e.kind.refusal()
}

// owner gives the user of a family; false where that is gone, inactive or of
// another era. A family without a user has none, and that is well.
func (s *Service) owner(ctx context.Context, f *Family) (*user.User, bool, error) {
	if f.UserID == "" {
		return nil, true, nil
	}
	u, err := s.users.Get(ctx, f.ApplicationID, f.UserID)
	if fault.KindOf(err) == fault.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the token's user: %w", err)
	}
	return u, !u.Inactive && u.Era == f.UserEra, nil
}

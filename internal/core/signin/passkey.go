package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// passkeys is what the sign-in by passkeys (Web Authentication, level 3) needs.
// A challenge is not stored: it travels sealed through the browser. Those that
// were answered are remembered until they would be too old anyway, and those of
// an earlier process are not taken, so that each is good once.
type passkeys struct {
	relying *webauthn.WebAuthn // nil: there are no passkeys here
	began   time.Time

	mu   sync.Mutex
	used map[string]time.Time // challenge -> when it may be forgotten
}

// ceremonyTime is how long a user may take.
const ceremonyTime = 5 * time.Minute

// maxResponse bounds what an authenticator answers, in bytes.
const maxResponse = 32 << 10

var (
	errPasskey   = fault.Deniedf("This passkey was not accepted; try again, or sign in another way.")
	errNoPasskey = fault.Conflictf("There are no passkeys here: a browser takes them for names of hosts only, not for addresses.")
)

// newPasskeys reads the relying party from the public URL: its host, and the
// origin.
func newPasskeys(publicURL string, began time.Time) (*passkeys, error) {
	p := &passkeys{began: began, used: make(map[string]time.Time)}
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return p, nil //nolint:nilerr // no URL, no passkeys
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return p, nil // an address is no relying party identifier
	}
	required := true
	p.relying, err = webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: u.Hostname(), RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: ceremonyTime},
			Registration: webauthn.TimeoutConfig{Timeout: ceremonyTime},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("the public URL cannot be that of passkeys: %w", err)
	}
	return p, nil
}

// Passkeys reports whether there are passkeys here: not where the public URL is
// an address.
func (s *Service) Passkeys() bool { return s.passkeys.relying != nil }

// ceremony is what is sealed between a challenge and its answer.
type ceremony struct {
	Data webauthn.SessionData `json:"d"`
	User string               `json:"u,omitempty"` // who registers a passkey; "": a sign-in
	At   time.Time            `json:"t"`
}

const ceremonyFor = "passkey ceremony"

// openCeremony gives what was sealed, where its challenge is still good.
func (s *Service) openCeremony(applicationID, uuid, state string) (ceremony, bool) {
	var c ceremony
	if !s.open(ceremonyFor, applicationID, state, &c) || c.User != uuid {
		return c, false
	}
	age := s.Now().Sub(c.At)
	return c, age >= 0 && age < ceremonyTime && !c.At.Before(s.passkeys.began)
}

// spend uses a challenge up; false where it was used before.
func (p *passkeys) spend(challenge string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, until := range p.used {
		if !now.Before(until) {
			delete(p.used, c)
		}
	}
	if _, again := p.used[challenge]; again {
		return false
	}
	p.used[challenge] = now.Add(ceremonyTime)
	return true
}

// owner is a user as the library wants one.
type owner struct {
	uuid, name  string
	credentials []webauthn.Credential
}

func (o *owner) WebAuthnID() []byte                         { return []byte(o.uuid) }
func (o *owner) WebAuthnName() string                       { return o.name }
func (o *owner) WebAuthnDisplayName() string                { return o.name }
func (o *owner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

// owner puts together a user and his passkeys.
func (s *Service) owner(ctx context.Context, applicationID string, u *user.User) (*owner, error) {
	o := &owner{uuid: u.UUID, name: u.Email}
	if o.name == "" {
		o.name = u.UUID
	}
	list, err := s.Credentials.List(ctx, applicationID, u.UUID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Kind != Passkey {
			continue
		}
		c, err := list[i].passkey()
		if err != nil {
			return nil, err
		}
		o.credentials = append(o.credentials, c)
	}
	return o, nil
}

func (c *Credential) passkey() (p webauthn.Credential, err error) {
	if err = json.Unmarshal(c.Data, &p); err != nil {
		return p, fmt.Errorf("read passkey %s: %w", c.ID, err)
	}
	p.Authenticator.SignCount = uint32(c.Counter) //nolint:gosec // it was one
	return p, nil
}

// record gives a passkey as it is kept: without what it was attested by.
func record(p *webauthn.Credential) ([]byte, error) {
	kept := *p
	kept.Attestation = webauthn.CredentialAttestation{}
	return json.Marshal(&kept)
}

// BeginPasskey gives the options with which the browser makes a passkey for a
// user (navigator.credentials.create), and the state to bring along with what
// the browser answers.
func (s *Service) BeginPasskey(ctx context.Context, app *application.Application, u *user.User) (options json.RawMessage, state string, err error) {
	if !s.Passkeys() {
		return nil, "", errNoPasskey
	}
	o, err := s.owner(ctx, app.ID, u)
	if err != nil {
		return nil, "", err
	}
	var have []protocol.CredentialDescriptor
	for _, c := range o.credentials {
		have = append(have, c.Descriptor())
	}
	creation, data, err := s.passkeys.relying.BeginRegistration(o, webauthn.WithExclusions(have), webauthn.WithRegistrationRelyingPartyName(app.Name))
	if err != nil {
		return nil, "", fmt.Errorf("make a challenge: %w", err)
	}
	return s.begin(app, creation, data, u.UUID)
}

func (s *Service) begin(app *application.Application, options any, data *webauthn.SessionData, uuid string) (json.RawMessage, string, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return nil, "", err
	}
	state, err := s.seal(ceremonyFor, app.ID, ceremony{*data, uuid, s.Now()})
	return text, state, err
}

// AddPasskey stores the passkey that the browser answered with. What is not
// accepted is a fault Denied; a wrong label is Invalid, and a passkey that is
// there already Conflict.
func (s *Service) AddPasskey(ctx context.Context, source audit.Source, app *application.Application, u *user.User, state string, response []byte, label string) (*Credential, error) {
	if !s.Passkeys() {
		return nil, errNoPasskey
	}
	label, ok := cleanLabel(label)
	if !ok {
		return nil, errLabel
	}
	c, ok := s.openCeremony(app.ID, u.UUID, state)
	if !ok || len(response) > maxResponse {
		return nil, errPasskey
	}
	o, err := s.owner(ctx, app.ID, u)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, errPasskey
	}
	made, err := s.passkeys.relying.CreateCredential(o, c.Data, parsed)
	if err != nil || !s.passkeys.spend(c.Data.Challenge, s.Now()) {
		return nil, errPasskey
	}
	now := s.moment()
	kept := &Credential{
		ID: ident.Record(), ApplicationID: app.ID, UserID: u.UUID, Kind: Passkey, Label: label, Key: made.ID,
		Counter: int64(made.Authenticator.SignCount), CreatedAt: now,
	}
	if kept.Data, err = record(made); err != nil {
		return nil, err
	}
	event, err := kept.event(source, "user.credential.add", now)
	if err != nil {
		return nil, err
	}
	return kept, s.Credentials.Add(ctx, kept, nil, event)
}

// BeginPasskeySignIn gives the options with which the browser asks for a passkey
// (navigator.credentials.get), whosever it is, and the state to bring along.
func (s *Service) BeginPasskeySignIn(app *application.Application) (options json.RawMessage, state string, err error) {
	if !s.Passkeys() {
		return nil, "", errNoPasskey
	}
	assertion, data, err := s.passkeys.relying.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("make a challenge: %w", err)
	}
	return s.begin(app, assertion, data, "")
}

// PasskeySignIn proves a user by a passkey, which verified him: two factors. All
// that is not accepted is a fault Denied; a *SlowError says that there were too
// many attempts.
func (s *Service) PasskeySignIn(ctx context.Context, app *application.Application, state string, response []byte, from From) (*Outcome, error) {
	if !s.Passkeys() {
		return nil, errNoPasskey
	}
	var out *Outcome
	var denied error
	limits := []limit{{bucketKey{kind: ofNetwork, network: network(from.Source.Address)}, perNetwork}}
	right, err := s.throttle.try(ctx, limits, func() (right bool, err error) {
		out, err = s.passkeySignIn(ctx, app, state, response, from)
		if fault.KindOf(err) == fault.Denied {
			denied, err = err, nil
		}
		return denied == nil, err
	})
	if err == nil && !right {
		_ = s.refused(ctx, app.ID, nil, from)
		return nil, denied
	}
	return out, err
}

// errForeign: the passkey is not of a user of this application.
var errForeign = errors.New("signin: not a passkey of this application")

func (s *Service) passkeySignIn(ctx context.Context, app *application.Application, state string, response []byte, from From) (*Outcome, error) {
	c, ok := s.openCeremony(app.ID, "", state)
	if !ok || len(response) > maxResponse {
		return nil, errPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, errPasskey
	}
	kept, err := s.Credentials.ByKey(ctx, app.ID, parsed.RawID)
	if fault.KindOf(err) == fault.NotFound {
		return nil, errPasskey
	}
	if err != nil {
		return nil, err
	}
	stored, err := kept.passkey()
	if err != nil {
		return nil, err
	}
	used, err := s.passkeys.relying.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		if !bytes.Equal(handle, []byte(kept.UserID)) {
			return nil, errForeign
		}
		return &owner{uuid: kept.UserID, name: kept.UserID, credentials: []webauthn.Credential{stored}}, nil
	}, c.Data, parsed)
	// A counter that does not grow is a copy of the passkey, or one that was used
	// before (Web Authentication §7.2, step 22).
	if err != nil || used.Authenticator.CloneWarning || !s.passkeys.spend(c.Data.Challenge, s.Now()) {
		return nil, errPasskey
	}
	u, err := s.Users.Get(ctx, app.ID, kept.UserID)
	if fault.KindOf(err) == fault.NotFound || err == nil && u.Inactive {
		return nil, errPasskey
	}
	if err != nil {
		return nil, err
	}
	data, err := record(used)
	if err != nil {
		return nil, err
	}
	ok, err = s.Credentials.Use(ctx, app.ID, kept.ID, int64(used.Authenticator.SignCount), data, s.moment())
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errPasskey
	}
	key := byHardware
	if used.Flags.BackupEligible { // it can be on several devices
		key = bySoftware
	}
	return s.done(app, u, session.TwoFactors, s.device(app.ID, u, from.Device), from, key, byMany, byPresence)
}

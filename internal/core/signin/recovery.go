package signin

import (
	"context"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// codeLength is that of a recovery code: 49 bits, under a digest whose key is not
// in the database.
const codeLength = 10

var errRecovery = fault.Invalidf("code", "This recovery code is not right, or was used before.")

// newRecovery makes recovery codes, and what is kept of them.
func (s *Service) newRecovery(applicationID, userID string) (codes []string, digests []RecoveryDigest) {
	for range recoveryCodes {
		code := ident.Record()[:codeLength]
		digest, number := s.Keys.DigestSecret(applicationID, userID, code)
		codes = append(codes, code[:codeLength/2]+"-"+code[codeLength/2:])
		digests = append(digests, RecoveryDigest{digest, number})
	}
	return codes, digests
}

// NewRecoveryCodes replaces the recovery codes of a user. They are shown this
// once. A user who has no second factor is a fault Conflict.
func (s *Service) NewRecoveryCodes(ctx context.Context, source audit.Source, app *application.Application, u *user.User) ([]string, error) {
	if ok, err := s.hasSecond(ctx, app.ID, u.UUID); err != nil {
		return nil, err
	} else if !ok {
		return nil, fault.Conflictf("Set up an authenticator app first.")
	}
	codes, digests := s.newRecovery(app.ID, u.UUID)
	event := audit.New(source, app.ID, "user.recovery_codes.replace", object(u.UUID), s.moment())
	return codes, s.Credentials.SetRecovery(ctx, app.ID, u.UUID, digests, event)
}

// Recovery is Code, by a recovery code: each is good once.
func (s *Service) Recovery(ctx context.Context, app *application.Application, pending, code string, from From) (*Outcome, error) {
	code = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return s.second(ctx, app, pending, from, errRecovery, func(u *user.User) (bool, error) {
		if len(code) != codeLength {
			return false, nil
		}
		list, err := s.Credentials.Recovery(ctx, app.ID, u.UUID)
		if err != nil {
			return false, err
		}
		for _, kept := range list {
			right, err := s.Keys.VerifySecret(ctx, app.ID, u.UUID, code, kept.Digest, kept.Key)
			if err != nil {
				return false, err
			}
			if right {
				source := from.Source
				source.Actor = object(u.UUID)
				event := audit.New(source, app.ID, "user.recovery_code.use", object(u.UUID), s.moment())
				return s.Credentials.TakeRecovery(ctx, app.ID, u.UUID, kept, event)
			}
		}
		return false, nil
	})
}

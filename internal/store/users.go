package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Users keeps user records.
type Users struct{ db *DB }

// Users gives the store of users.
func (db *DB) Users() Users { return Users{db} }

var _ user.Store = Users{}

const (
	userNames = `application_id, uuid, sequence, email, email_verified_at, attributes, roles, inactive, era, password_hash,
		revision, created_at, updated_at, last_signed_in_at`

	selectUser        = `SELECT ` + userNames + ` FROM user_record WHERE application_id = $1 AND uuid = $2`
	userEmailTaken    = `SELECT sequence FROM user_record WHERE application_id = $1 AND email_key = $2 AND email_key <> '' AND uuid <> $3`
	removedUsers      = `SELECT application_id, uuid FROM removed_user WHERE since <= $1 ORDER BY since LIMIT $2`
	selectUserByEmail = `SELECT ` + userNames + ` FROM user_record WHERE application_id = $1 AND email_key = $2 AND email_key <> ''`
)

func scanUser(row scanner) (*user.User, error) {
	u := &user.User{}
	var attributes, roles string
	var verified, created, updated, signedIn int64
	err := row.Scan(&u.ApplicationID, &u.UUID, &u.Sequence, &u.Email, &verified, &attributes, &roles, &u.Inactive, &u.Era, &u.PasswordHash,
		&u.Revision, &created, &updated, &signedIn)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(roles), &u.Roles); err != nil {
		return nil, fmt.Errorf("read the roles of user %s: %w", u.UUID, err)
	}
	if len(u.Roles) == 0 {
		u.Roles = nil
	}
	if attributes != "{}" {
		numbers := json.NewDecoder(bytes.NewReader([]byte(attributes)))
		numbers.UseNumber()
		if err := numbers.Decode(&u.Attributes); err != nil {
			return nil, fmt.Errorf("read the attributes of user %s: %w", u.UUID, err)
		}
	}
	u.EmailVerifiedAt, u.CreatedAt, u.UpdatedAt, u.LastSignedInAt = instant(verified), instant(created), instant(updated), instant(signedIn)
	return u, nil
}

// documentsOf gives a user's attributes and roles as they are stored.
func documentsOf(u *user.User) (attributes, roles string, err error) {
	attributes, roles = "{}", "[]"
	if len(u.Attributes) > 0 {
		document, err := json.Marshal(u.Attributes)
		if err != nil {
			return "", "", err
		}
		attributes = string(document)
	}
	if len(u.Roles) > 0 {
		list, err := json.Marshal(u.Roles)
		if err != nil {
			return "", "", err
		}
		roles = string(list)
	}
	return attributes, roles, nil
}

func noUser() error { return fault.NotFoundf("There is no such user.") }

func emailTaken() error {
	return fault.Takenf("email", "There is a user of this address already; addresses are compared without regard to case.")
}

// Get implements user.Store.
func (t Users) Get(ctx context.Context, applicationID, uuid string) (*user.User, error) {
	if !storable(applicationID, uuid) {
		return nil, noUser()
	}
	return t.read(ctx, selectUser, applicationID, uuid)
}

// ByEmail implements user.Store.
func (t Users) ByEmail(ctx context.Context, applicationID, email string) (*user.User, error) {
	if !storable(applicationID, email) {
		return nil, noUser()
	}
	return t.read(ctx, selectUserByEmail, applicationID, fold(email))
}

func (t Users) read(ctx context.Context, text string, args ...any) (*user.User, error) {
	found, ok, err := readOne(ctx, t.db, scanUser, text, args...)
	if err == nil && !ok {
		err = noUser()
	}
	return found, err
}

// getUser is Get in a transaction.
func getUser(ctx context.Context, s session, applicationID, uuid string) (*user.User, error) {
	if !storable(applicationID, uuid) {
		return nil, noUser()
	}
	found, ok, err := one(ctx, s, scanUser, selectUser, applicationID, uuid)
	if err == nil && !ok {
		err = noUser()
	}
	return found, err
}

// claimEmail refuses an address that another user has. Of two that claim one at
// the same time, the index of the table refuses the second where this does not.
func claimEmail(ctx context.Context, s session, u *user.User) error {
	if u.Email == "" {
		return nil
	}
	if err := s.dialect.lock(ctx, s, lockNumber("email", u.ApplicationID, fold(u.Email))); err != nil {
		return err
	}
	_, taken, err := one(ctx, s, column[int64], userEmailTaken,
		u.ApplicationID, fold(u.Email), u.UUID)
	if err == nil && taken {
		err = emailTaken()
	}
	return err
}

// Create implements user.Store.
func (t Users) Create(ctx context.Context, u *user.User, event audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error { return createUser(ctx, s, u, event) })
}

// createUser is Create in a transaction.
func createUser(ctx context.Context, s session, u *user.User, event audit.Event) error {
	if err := insertUser(ctx, s, u); err != nil {
		return err
	}
	return record(ctx, s, event)
}

func insertUser(ctx context.Context, s session, u *user.User) error {
	attributes, roles, err := documentsOf(u)
	if err != nil {
		return err
	}
	if err := claimEmail(ctx, s, u); err != nil {
		return err
	}
	sequence, ok, err := one(ctx, s, column[int64], `INSERT INTO user_record (application_id, uuid, email, email_key, email_verified_at,
		attributes, roles, inactive, era, password_hash, revision, created_at, updated_at, last_signed_in_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $13) ON CONFLICT DO NOTHING RETURNING sequence`,
		u.ApplicationID, u.UUID, u.Email, fold(u.Email), micros(u.EmailVerifiedAt),
		attributes, roles, u.Inactive, u.Era, u.PasswordHash, micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.LastSignedInAt))
	if err != nil {
		return err
	}
	if !ok {
		return fault.Takenf("uuid", "There is a user of this uuid already.")
	}
	u.Sequence, u.Revision = sequence, 1
	return writeUserIndex(ctx, s, &user.User{}, u)
}

// Change implements user.Store.
func (t Users) Change(ctx context.Context, applicationID, uuid string, change func(*user.User) (audit.Event, error)) (after *user.User, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) (err error) {
		after, err = changeUser(ctx, s, applicationID, uuid, "", t.db.now(), change)
		return err
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// changeUser is Change in a transaction. A user whose era is another after it
// loses his sessions, save the one of the SID keep ("": none), and his token
// families.
func changeUser(ctx context.Context, s session, applicationID, uuid, keep string, now time.Time, change func(*user.User) (audit.Event, error)) (*user.User, error) {
	before, err := getUser(ctx, s, applicationID, uuid)
	if err != nil {
		return nil, err
	}
	after := cloneUser(before)
	event, err := change(after)
	if err != nil {
		return nil, err
	}
	after.ApplicationID, after.UUID, after.Sequence, after.Revision = applicationID, uuid, before.Sequence, before.Revision+1
	after.CreatedAt, after.LastSignedInAt = before.CreatedAt, before.LastSignedInAt
	if fold(after.Email) != fold(before.Email) {
		if err := claimEmail(ctx, s, after); err != nil {
			return nil, err
		}
	}
	if err := updateUser(ctx, s, after); err != nil {
		return nil, err
	}
	if err := writeUserIndex(ctx, s, before, after); err != nil {
		return nil, err
	}
	if after.Era != before.Era {
		if err := buryUser(ctx, s, applicationID, uuid, before.Era, now); err != nil {
			return nil, err
		}
		if _, err := endSessionsOf(ctx, s, applicationID, uuid, keep, now); err != nil {
			return nil, err
		}
	}
	return after, record(ctx, s, event)
}

// updateUser stores a user whose Revision is one more than that of his row.
func updateUser(ctx context.Context, s session, u *user.User) error {
	attributes, roles, err := documentsOf(u)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, `UPDATE user_record SET email = $1, email_key = $2, email_verified_at = $3, attributes = $4, roles = $5,
		inactive = $6, era = $7, password_hash = $8, revision = $9, updated_at = $10
		WHERE application_id = $11 AND uuid = $12 AND revision = $13`,
		u.Email, fold(u.Email), micros(u.EmailVerifiedAt), attributes, roles,
		u.Inactive, u.Era, u.PasswordHash, u.Revision, micros(u.UpdatedAt),
		u.ApplicationID, u.UUID, u.Revision-1)
	if err == nil && n == 0 {
		return errRaced
	}
	return err
}

// cloneUser copies what a change may alter in place.
func cloneUser(u *user.User) *user.User {
	d := *u
	d.Attributes, d.Roles = maps.Clone(u.Attributes), slices.Clone(u.Roles)
	return &d
}

// Delete implements user.Store.
func (t Users) Delete(ctx context.Context, applicationID, uuid string, check func(*user.User) (audit.Event, error)) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		found, err := getUser(ctx, s, applicationID, uuid)
		if err != nil {
			return err
		}
		event, err := check(cloneUser(found))
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `DELETE FROM user_record WHERE application_id = $1 AND uuid = $2 AND revision = $3`, applicationID, uuid, found.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		if err := writeUserIndex(ctx, s, found, &user.User{ApplicationID: applicationID, Sequence: found.Sequence}); err != nil {
			return err
		}
		if err := buryUser(ctx, s, applicationID, uuid, found.Era, t.db.now()); err != nil {
			return err
		}
		if err := forgetUser(ctx, s, applicationID, uuid, t.db.now()); err != nil {
			return err
		}
		if _, err := s.exec(ctx, `INSERT INTO removed_user (application_id, uuid, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			applicationID, uuid, micros(t.db.now())); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// remainsOfUser are the statements that remove what is kept of a deleted user,
// $1 and $2, beside the record and the sessions. A statement is added with each
// table that names users.
var remainsOfUser = []string{
	`DELETE FROM consent WHERE application_id = $1 AND user_id = $2`,
	`DELETE FROM credential WHERE application_id = $1 AND user_id = $2`,
	`DELETE FROM recovery_code WHERE application_id = $1 AND user_id = $2`,
}

// forgetUser removes what is kept of a user who is deleted. What a request that
// is under way leaves behind after it is for RemoveRemains.
func forgetUser(ctx context.Context, s session, applicationID, uuid string, now time.Time) error {
	if _, err := endSessionsOf(ctx, s, applicationID, uuid, "", now); err != nil {
		return err
	}
	for _, statement := range remainsOfUser {
		if _, err := s.exec(ctx, statement, applicationID, uuid); err != nil {
			return err
		}
	}
	return nil
}

// RemoveRemains implements user.Store.
func (t Users) RemoveRemains(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	type row struct{ application, uuid string }
	// A look first: there is hardly ever anything to do, and a transaction costs.
	// A request that was under way may leave a row behind until eraKept is over.
	gone, err := readAll(ctx, t.db, func(r scanner) (u row, err error) {
		err = r.Scan(&u.application, &u.uuid)
		return u, err
	}, removedUsers, micros(now.Add(-eraKept)), limit)
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		removed = 0
		for _, u := range gone {
			for _, statement := range append(remainsOfUser, `DELETE FROM removed_user WHERE application_id = $1 AND uuid = $2`) {
				n, err := s.exec(ctx, statement, u.application, u.uuid)
				if err != nil {
					return err
				}
				removed += int(n)
			}
			if removed >= limit {
				break
			}
		}
		return nil
	})
	return removed, err
}

// signedIn dates a user's last sign-in, in the transaction of the sign-in's own
// write. One who is gone, or of another era by now, is not found.
func signedIn(ctx context.Context, s session, applicationID, uuid string, era int64, at time.Time) error {
	n, err := s.exec(ctx, `UPDATE user_record SET last_signed_in_at = $1 WHERE application_id = $2 AND uuid = $3 AND era = $4 AND NOT inactive`,
		micros(at), applicationID, uuid, era)
	if err == nil && n == 0 {
		return noUser()
	}
	return err
}

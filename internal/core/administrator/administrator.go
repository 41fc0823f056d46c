// Package administrator owns the accounts of who works in the console: that they
// are user records of an application that no path leads to, what each may do in
// which application, and every change of that. How they sign in is package
// signin's, as it is of users; what a role permits is package admin's.
package administrator

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Access is what an administrator may do.
type Access struct {
	// Instance administrators also make applications and administrators, and are
	// owners of every application.
	Instance bool
	// Roles in single applications, by id.
	Roles map[string]admin.Role
}

// In gives the role in an application; the zero value where there is none.
func (a Access) In(applicationID string) admin.Role {
	if a.Instance {
		return admin.Owner
	}
	return a.Roles[applicationID]
}

// Access is kept as roles of the user record: one word for the instance, and a
// role, a colon and the id for each application.
const (
	ofInstance = "instance"
	separator  = ":"
)

// Assignable are the roles that an administrator may have in an application, the
// highest first.
func Assignable() []admin.Role {
	return []admin.Role{admin.Owner, admin.Manager, admin.Developer, admin.Viewer}
}

// AccessOf reads what a user record of the console may do. What it does not know
// is no access.
func AccessOf(u *user.User) Access {
	a := Access{Roles: map[string]admin.Role{}}
	for _, text := range u.Roles {
		role, id, ok := strings.Cut(text, separator)
		switch {
		case !ok && role == ofInstance:
			a.Instance = true
		case ok && slices.Contains(Assignable(), admin.Role(role)):
			a.Roles[id] = admin.Role(role)
		}
	}
	return a
}

// words gives the access as roles of a user record.
func (a Access) words() []string {
	list := []string{}
	if a.Instance {
		list = append(list, ofInstance)
	}
	for _, id := range a.Applications() {
		list = append(list, string(a.Roles[id])+separator+id)
	}
	return list
}

// with gives the access with another role in an application; "" takes it away.
func (a Access) with(applicationID string, role admin.Role) Access {
	roles := maps.Clone(a.Roles)
	if role == "" {
		delete(roles, applicationID)
	} else {
		roles[applicationID] = role
	}
	return Access{a.Instance, roles}
}

// First makes the administrator with whom an instance begins.
func First(email, passwordHash string, now time.Time) *user.User {
	return &user.User{
		ApplicationID: ApplicationID, UUID: ident.User(), Era: user.NewEra(), Email: email, PasswordHash: passwordHash,
		Roles: Access{Instance: true}.words(), CreatedAt: now, UpdatedAt: now,
	}
}

// Actor names an administrator in audit events.
// The address is fixed once the account is made.
func Actor(u *user.User) string { return "admin:" + u.Email }

// Applications are the ids of those in which there is a role, sorted.
func (a Access) Applications() []string { return slices.Sorted(maps.Keys(a.Roles)) }

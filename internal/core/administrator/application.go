package administrator

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// ApplicationID is the application whose users administrators are. The word is
// reserved, so that no other can have it, and no surface for clients finds it.
const ApplicationID = "console"

// Application is what administrators sign in to. It has no clients.
func Application() *application.Application {
	return &application.Application{ID: ApplicationID, Name: "Ostiary"}
}

// Applications is a store that has Application and no other.
type Applications struct{}

var _ application.Store = Applications{}

// Get implements application.Store.
func (Applications) Get(_ context.Context, id string) (*application.Application, error) {
	if id != ApplicationID {
		return nil, fault.NotFoundf("There is no such application.")
	}
	return Application(), nil
}

// Change implements application.Store: there is nothing to change.
func (Applications) Change(_ context.Context, _ string, _ func(*application.Application) (audit.Event, error)) (*application.Application, error) {
	return nil, fault.NotFoundf("There is no such application.")
}

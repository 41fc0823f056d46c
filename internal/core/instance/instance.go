// Package instance owns what there is once in a deployment: its founding, which
// makes the first application, its owner client and the first administrator, and
// the making and removing of further applications. What is in an application is
// for other packages.
package instance

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Instance is one deployment: one database, any number of nodes.
type Instance struct {
	DefaultApplication string // id of the first application made
	PublicURL          string // as given at the founding; a configured one beats it
	RootApplication    string // id of the application whose issuer is the public URL itself; "": none
	FoundedAt          time.Time
}

// Foundation is everything that the founding stores.
type Foundation struct {
	Instance      Instance
	Application   application.Application
	Owner         client.Client
	SigningKeys   []key.SigningKey
	Administrator *user.User // of the console
	Events        []audit.Event
}

// Store keeps the instance.
type Store interface {
	// Load gives the instance; a fault NotFound where none was founded yet.
	Load(ctx context.Context) (*Instance, error)
	// Found stores a foundation whole, in one transaction; a fault Conflict
	// where an instance is there already, however many try at once.
	Found(ctx context.Context, f *Foundation) error
	// SetRoot makes an application the root one, with its event. A fault
	// Conflict where it or the one before has issued tokens: their issuer would
	// change under them.
	SetRoot(ctx context.Context, applicationID string, event audit.Event) error
	// Restored notes that the database was a backup, with its event. Unless they
	// are kept, it ends every token family, session and link, however many there
	// are: what was taken back after the backup was made would be good again.
	// Clients that took part in a session are to hear of its end.
	Restored(ctx context.Context, keep bool, event audit.Event) error
}

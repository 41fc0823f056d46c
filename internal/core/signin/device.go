package signin

import (
	"time"

	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// DeviceKept is how long a device is known after its last sign-in, or nearly.
const DeviceKept = 180 * 24 * time.Hour

// deviceRenewed is how old what a device keeps must be to be replaced.
const deviceRenewed = 30 * 24 * time.Hour

// device is what a device keeps: sealed, so that only a sign-in makes one. It
// proves nothing but that its holder signed in once as this user.
type device struct {
	User string `json:"u"`
	ID   string `json:"i"` // of the bucket that attempts from it draw from
	At   int64  `json:"t"` // seconds since 1970
}

const deviceFor = "known device"

func (s *Service) openDevice(applicationID, uuid, text string) (device, bool) {
	var d device
	if text == "" || !s.open(deviceFor, applicationID, text, &d) || d.User != uuid {
		return device{}, false
	}
	return d, s.Now().Before(time.Unix(d.At, 0).Add(DeviceKept))
}

// device gives the id of a known device of the user, "" where it is not known.
func (s *Service) device(applicationID string, u *user.User, text string) string {
	d, ok := s.openDevice(applicationID, u.UUID, text)
	if !ok {
		return ""
	}
	return d.ID
}

// keep gives what a device is to keep from now on; "" where what it has will do.
func (s *Service) keep(applicationID string, u *user.User, id, text string) (string, error) {
	if d, ok := s.openDevice(applicationID, u.UUID, text); ok && s.Now().Before(time.Unix(d.At, 0).Add(deviceRenewed)) {
		return "", nil
	}
	if id == "" {
		id = ident.Record()
	}
	return s.seal(deviceFor, applicationID, device{u.UUID, id, s.Now().Unix()})
}

package process

import "github.com/ostiary/ostiary/test/caller"

// Owner gives a caller with the credentials of the owner client, over
// connections of its own.
func (s *Server) Owner() *caller.Caller {
	h := caller.NewHTTP()
	s.t.Cleanup(h.CloseIdleConnections)
	return &caller.Caller{
		Base: s.PublicURL, Application: s.ApplicationID,
		ID: s.OwnerClientID, Secret: s.OwnerClientSecret, HTTP: h,
	}
}

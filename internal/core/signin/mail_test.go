package signin_test

// outbox is where mail arrives.
type outbox struct{}

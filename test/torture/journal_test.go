package torture_test

import (
	"sync/atomic"
)

// fate is what the journal knows of a thing: what an answer said, or nothing,
// where a request got none.
type fate uint8

const (
	there fate = iota
	gone
	unknown
)

// entry is what the journal knows of one client and its tokens. Each belongs to
// one writer, which has one request under way at a time, so that there is never
// a question in which order two answers came to be.
type entry struct {
	id, name      string
	secret        string
	secretUnknown bool // a replacement got no answer
	state         fate
	tokens        []*issued
	touched       bool // since it was last looked at
}

// issued is a token that was answered.
type issued struct {
	text  string
	state fate
}

// figures count acknowledged answers and what became of the rest.
type figures struct {
	created, tokens, revoked, replaced, deleted atomic.Int64
	unknown                                     atomic.Int64 // requests without an answer
	checkedClients, checkedTokens               atomic.Int64
}

func (f *figures) acknowledged() int64 {
	return f.created.Load() + f.tokens.Load() + f.revoked.Load() + f.replaced.Load() + f.deleted.Load()
}

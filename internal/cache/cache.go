// Package cache holds what a node remembers of the database, bounded by bytes.
// It guarantees that nothing voided comes back: a value that was read before a
// Void is not filled in after it. It knows nothing of what it holds.
package cache

import (
	"hash/maphash"
	"sync"
)

const shards = 16 // a power of two

// Cache maps keys to values that are shared and must not be changed.
type Cache[K comparable, V any] struct {
	seed  maphash.Seed
	size  func(K, V) int
	limit int // bytes a shard and generation
	shard [shards]shard[K, V]
}

// shard keeps two generations: when the young one is full it becomes the old
// one, and the old one goes. What is asked for in between moves to the young
// one, so what stays is what is used, without a list to keep in order.
type shard[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
	bytes      int // of young
	voids      uint64
}

// New makes a cache of at most limit bytes, as size measures an entry.
func New[K comparable, V any](limit int, size func(K, V) int) *Cache[K, V] {
	return &Cache[K, V]{seed: maphash.MakeSeed(), size: size, limit: limit / shards / 2}
}

func (c *Cache[K, V]) of(k K) *shard[K, V] {
	return &c.shard[maphash.Comparable(c.seed, k)&(shards-1)]
}

// Get gives the value remembered for k.
func (c *Cache[K, V]) Get(k K) (V, bool) {
	s := c.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.young[k]; ok {
		return v, true
	}
	v, ok := s.old[k]
	if ok {
		delete(s.old, k)
		c.put(s, k, v)
	}
	return v, ok
}

// Ticket stands for the moment before a read or a write of the database.
type Ticket struct{ voids uint64 }

// Ticket is taken before the database is read or written, and given to Fill.
func (c *Cache[K, V]) Ticket(k K) Ticket {
	s := c.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return Ticket{s.voids}
}

// Fill remembers v, unless something was voided since the ticket was taken.
func (c *Cache[K, V]) Fill(t Ticket, k K, v V) {
	s := c.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.voids == t.voids {
		delete(s.old, k)
		c.put(s, k, v)
	}
}

// Load gives the value of k, from load where it is not remembered.
func (c *Cache[K, V]) Load(k K, load func() (V, error)) (V, error) {
	if v, ok := c.Get(k); ok {
		return v, nil
	}
	t := c.Ticket(k)
	v, err := load()
	if err == nil {
		c.Fill(t, k, v)
	}
	return v, err
}

// Void forgets k, now and for whoever is reading it at this moment.
func (c *Cache[K, V]) Void(k K) {
	s := c.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.voids++
	if v, ok := s.young[k]; ok {
		s.bytes -= c.size(k, v)
		delete(s.young, k)
	}
	delete(s.old, k)
}

// VoidAll forgets everything.
func (c *Cache[K, V]) VoidAll() {
	for i := range c.shard {
		s := &c.shard[i]
		s.mu.Lock()
		s.voids++
		s.young, s.old, s.bytes = nil, nil, 0
		s.mu.Unlock()
	}
}

// put adds to the young generation; the shard is locked.
func (c *Cache[K, V]) put(s *shard[K, V], k K, v V) {
	if before, ok := s.young[k]; ok {
		s.bytes -= c.size(k, before)
	}
	n := c.size(k, v)
	if s.bytes+n > c.limit {
		s.old, s.young, s.bytes = s.young, nil, 0
	}
	if s.young == nil {
		s.young = make(map[K]V)
	}
	s.young[k] = v
	s.bytes += n
}

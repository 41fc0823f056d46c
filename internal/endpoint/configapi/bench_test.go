package configapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// BenchmarkCreate is a creation through the handler: three rows, one commit
// shared by those that run at once.
func BenchmarkCreate(b *testing.B) {
	r := newRig(b)
	var n atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := fmt.Sprintf(`{"name":"Client %d","features":["direct_access"]}`, n.Add(1))
			w := httptest.NewRecorder()
			r.handler.ServeHTTP(w, r.request(http.MethodPost, r.path("/clients"), body, r.owner))
			if w.Code != http.StatusCreated {
				b.Error(w.Code, w.Body)
				return
			}
		}
	})
}

// BenchmarkGet is a look at a client that is remembered: no SQL.
func BenchmarkGet(b *testing.B) {
	r := newRig(b)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, r.request(http.MethodGet, r.clientPath(r.owner.id), "", r.owner))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

package web_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

func TestThrottle(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	th := web.NewThrottle(2, 5, func() time.Time { return now })
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 5 {
		if wait := th.Wait(here); wait != 0 {
			t.Fatalf("after %d failures: wait %v", i, wait)
		}
		th.Failed(here)
	}
	if wait := th.Wait(here); wait != 500*time.Millisecond {
		t.Errorf("after the burst: wait %v, want 500ms", wait)
	}
	if wait := th.Wait(there); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
	now = now.Add(500 * time.Millisecond)
	if wait := th.Wait(here); wait != 0 {
		t.Errorf("after the wait: wait %v more", wait)
	}
	now = now.Add(time.Hour)
	for range 5 {
		th.Failed(here)
	}
	if wait := th.Wait(here); wait == 0 {
		t.Error("time gone by gives more than the burst")
	}
}

func TestThrottleCountsIPv6BySubscriber(t *testing.T) {
	now := time.Unix(0, 0)
	th := web.NewThrottle(1, 1, func() time.Time { return now })
	th.Failed(netip.MustParseAddr("2001:db8::1"))
	if th.Wait(netip.MustParseAddr("2001:db8::ffff")) == 0 {
		t.Error("another address of the same /64 goes on")
	}
	if th.Wait(netip.MustParseAddr("2001:db8:0:1::1")) != 0 {
		t.Error("another /64 waits")
	}
}

func TestThrottleOff(t *testing.T) {
	th := web.NewThrottle(0, 0, time.Now)
	a := netip.MustParseAddr("192.0.2.1")
	th.Failed(a)
	if th.Wait(a) != 0 {
		t.Error("a throttle that is off makes wait")
	}
}

package storetest

import (
	"slices"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// testRestored: what came from a backup holds no live token, session or link
// unless they are kept, tells clients of the sessions that ended, and is as good as before otherwise.
func testRestored(e *Env) {
	ctx, instances := e.Context(), e.DB.Instance()
	u, c := e.users("a@example.com")[0], e.created("Billing")
	f, s, l := e.minted(e.family(c)), e.begun(u, e.Now, c.ID), e.link(1, u)
	e.deactivate(e.created("Former"))
	e.must(instances.Restored(ctx, true, e.event("instance.restore")))
	_, err := e.DB.Tokens().Get(ctx, appID, f.ID)
	e.must(err)
	e.same(e.sids(u), []string{s.SID})
	e.same(len(e.notices(e.Now)), 0)

	e.must(instances.Restored(ctx, false, e.event("instance.restore")))
	_, err = e.DB.Tokens().Get(ctx, appID, f.ID)
	e.wants(fault.NotFound, err)
	_, err = e.DB.Sessions().Get(ctx, s.ID)
	e.wants(fault.NotFound, err)
	_, err = e.DB.Links().Get(ctx, appID, l.Digest, e.Now)
	e.wants(fault.NotFound, err)
	e.same(e.notices(e.Now), []string{s.SID + " " + c.ID})
	if done := e.actions(); !slices.Contains(done, "instance.restore") {
		e.Errorf("the audit log has %v", done)
	}
	e.minted(e.family(c))
	e.begun(u, e.Now, c.ID)
	e.link(2, u)
}

package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/store"
)

// DataKey is one of the keys that the master key wraps.
type DataKey struct {
	Number    int32     `json:"number"`
	Purpose   string    `json:"purpose"`
	CreatedAt time.Time `json:"created_at"`
	Current   bool      `json:"current"` // what is made now, is made under it
}

// DataKeyPurposes is what there are data keys for.
var DataKeyPurposes = []string{string(key.Digest), string(key.Token), string(key.Sealing)}

// DataKeys lists the data keys in the order in which they were made.
func DataKeys(ctx context.Context, c *config.Config) (list []DataKey, err error) {
	err = withStore(ctx, c, func(db *store.DB) error {
		kept, err := db.Keys().DataKeys(ctx)
		if err != nil {
			return err
		}
		last := map[key.Purpose]int32{}
		for _, k := range kept {
			last[k.Purpose] = max(last[k.Purpose], k.Number)
		}
		for _, k := range kept {
			list = append(list, DataKey{k.Number, string(k.Purpose), k.CreatedAt, k.Number == last[k.Purpose]})
		}
		return nil
	})
	return list, err
}

// RotateDataKey makes a new data key for a purpose. The ones before it go on
// opening and verifying what they made.
func RotateDataKey(ctx context.Context, c *config.Config, purpose string) error {
	if !slices.Contains(DataKeyPurposes, purpose) {
		return &config.Error{Err: fmt.Errorf("%q is no purpose of a data key; say one of %s", purpose, strings.Join(DataKeyPurposes, ", "))}
	}
	return withRing(ctx, c, func(ring *key.Ring, master *masterKey) error {
		return ring.Rotate(ctx, master.key, key.Purpose(purpose), audit.System())
	})
}

// RotateMasterKey wraps the data keys in the key that is in a file, which is made
// where it is not there. What wrapped them before opens this database no more.
// Where they are wrapped in it already, since a call broke off late, all is done.
func RotateMasterKey(ctx context.Context, c *config.Config, path string) error {
	next, err := fileMasterKey(path)
	if err != nil {
		return err
	}
	err = withRing(ctx, c, func(ring *key.Ring, master *masterKey) error {
		if next.missing {
			if err := next.make(); err != nil {
				return err
			}
		}
		if next.key == master.key {
			return fmt.Errorf("the key in %s is the master key already; name a new file", path)
		}
		return ring.Rewrap(ctx, master.key, next.key, audit.System())
	})
	if errors.Is(err, key.ErrMasterKey) && !next.missing && withRing(ctx, after(c, path), func(*key.Ring, *masterKey) error { return nil }) == nil {
		return nil
	}
	return err
}

// after gives the configuration with the master key of a file.
func after(c *config.Config, path string) *config.Config {
	changed := *c
	changed.MasterKey, changed.MasterKeyCommand, changed.MasterKeyFile = "", "", path
	return &changed
}

// withRing lends its data keys, and the master key that opens them.
func withRing(ctx context.Context, c *config.Config, do func(*key.Ring, *masterKey) error) error {
	return withStore(ctx, c, func(db *store.DB) error {
		if _, err := db.Instance().Load(ctx); err != nil {
			return err
		}
		master, err := readMasterKey(ctx, c)
		if err != nil {
			return err
		}
		if master.missing {
			return master.lost()
		}
		ring, err := key.OpenRing(ctx, db.Keys(), master.key, time.Now)
		if err != nil {
			return master.explain(err)
		}
		return do(ring, master)
	})
}

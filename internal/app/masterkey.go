package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/key"
)

// masterKey is the key that wraps the data keys, as far as it is known before
// the database was looked at.
type masterKey struct {
	key     [32]byte
	missing bool   // there is no file yet: one is made, if the database is empty
	path    string // of the file; "" where the key comes from elsewhere
}

// commandTime bounds how long a key's command may take: it may ask a key
// service over the network.
const commandTime = 30 * time.Second

// readMasterKey reads the key from where the configuration says. It makes
// nothing.
func readMasterKey(ctx context.Context, c *config.Config) (*masterKey, error) {
	switch {
	case c.MasterKey != "":
		key, err := parseMasterKey(c.MasterKey)
		if err != nil {
			return nil, fmt.Errorf("OSTIARY_MASTER_KEY: %w", err)
		}
		return &masterKey{key: key}, nil
	case c.MasterKeyCommand != "":
		return commandMasterKey(ctx, c.MasterKeyCommand)
	default:
		return fileMasterKey(MasterKeyPath(c))
	}
}

// MasterKeyPath is the file that the configuration takes the master key from; ""
// where it comes from elsewhere.
func MasterKeyPath(c *config.Config) string {
	switch {
	case c.MasterKey != "" || c.MasterKeyCommand != "":
		return ""
	case c.MasterKeyFile != "":
		return c.MasterKeyFile
	default:
		return filepath.Join(c.Data, "master.key")
	}
}

// parseMasterKey reads 32 bytes in hexadecimal or base64 of either alphabet.
func parseMasterKey(text string) ([32]byte, error) {
	text = strings.TrimSpace(text)
	if b, err := hex.DecodeString(text); err == nil && len(b) == 32 {
		return [32]byte(b), nil
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if b, err := base64.RawStdEncoding.DecodeString(plain); err == nil && len(b) == 32 {
		return [32]byte(b), nil
	}
	return [32]byte{}, errors.New("not a master key; write 32 bytes in base64 (44 characters) or hexadecimal (64), as `head -c 32 /dev/urandom | base64` makes them")
}

func commandMasterKey(ctx context.Context, command string) (*masterKey, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command) //nolint:gosec // the operator's own command
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("--master-key-command: %w", err)
	}
	key, err := parseMasterKey(string(out))
	if err != nil {
		return nil, fmt.Errorf("what --master-key-command printed: %w", err)
	}
	return &masterKey{key: key}, nil
}

func fileMasterKey(path string) (*masterKey, error) {
	content, err := readSecretFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return &masterKey{missing: true, path: path}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the master key: %w", err)
	}
	key, err := parseMasterKey(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &masterKey{key: key, path: path}, nil
}

// readSecretFile reads a small file that only its owner may look at.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > 4096 {
		return "", fmt.Errorf("%s is no file of at most 4096 bytes", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s may be read by others than its owner (mode %04o): run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator names it
	return string(content), err
}

// make makes a new key and its file.
func (m *masterKey) make() error {
	_, _ = rand.Read(m.key[:])
	text := base64.StdEncoding.EncodeToString(m.key[:]) + "\n"
	if err := writeSecretFile(m.path, []byte(text)); err != nil {
		return fmt.Errorf("write a new master key: %w", err)
	}
	m.missing = false
	return nil
}

// lost says that something is there which only the missing key opens.
func (m *masterKey) lost() error {
	return fmt.Errorf("the master key %s is missing, and this database cannot be opened without it: put the file back, or give the key with OSTIARY_MASTER_KEY, --master-key-file or --master-key-command", m.path)
}

// explain says, where the key does not open the data keys, which key that is.
func (m *masterKey) explain(err error) error {
	if !errors.Is(err, key.ErrMasterKey) {
		return err
	}
	source := "the one given"
	if m.path != "" {
		source = "the one in " + m.path
	}
	return &masterKeyError{source}
}

// masterKeyError is key.ErrMasterKey for the operator.
type masterKeyError struct{ source string }

func (e *masterKeyError) Error() string {
	return "the master key, " + e.source + ", is not the one that this database was set up with: put the right one back, or point --data or --database elsewhere; nothing was changed"
}

func (e *masterKeyError) Unwrap() error { return key.ErrMasterKey }

// writeSecretFile makes a file that only its owner may read and that a crash
// does not take away: file and directory are on disk when it returns. It never
// replaces a file.
func writeSecretFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

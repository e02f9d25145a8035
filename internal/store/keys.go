package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Keys seal personal data at rest and sign what leaves the house. The file has one line a key, "ID BASE64" with 32 bytes each; the last
// line seals, all of them open, so that a key is changed by adding a line. Look-ups and signatures hang on the first line and survive that.
type Keys struct {
	seal   string
	aead   map[string]cipher.AEAD
	lookup []byte
	master []byte
}

// OpenKeys reads the key file, and makes it with one new key where there is none. Its mode is 0600.
func OpenKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = makeKeyFile(path); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	return parseKeys(string(text), path)
}

// makeKeyFile writes to a name of its own and links it into place: of two daemons that start at once, both use the file of the first.
func makeKeyFile(path string) ([]byte, error) {
	key := make([]byte, 32)
	rand.Read(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the key file's folder: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return nil, fmt.Errorf("making the key file: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = fmt.Fprintf(temp, "k1 %s\n", base64.StdEncoding.EncodeToString(key))
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, fmt.Errorf("writing the key file: %w", err)
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("putting the key file in place: %w", err)
	}
	return os.ReadFile(path)
}

func parseKeys(text, path string) (*Keys, error) {
	k := &Keys{aead: map[string]cipher.AEAD{}}
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		id, coded, ok := strings.Cut(strings.TrimSpace(line), " ")
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
		if !ok || err != nil || len(key) != 32 || len(id) == 0 || len(id) > 32 {
			return nil, fmt.Errorf("%s:%d: expected a key's name and 32 bytes in base64", path, n+1)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n+1, err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n+1, err)
		}
		k.aead[id], k.seal = aead, id
		if n == 0 {
			k.master = key
			k.lookup = k.Derive("lookup")
		}
	}
	return k, nil
}

// Derive makes a key of 32 bytes for one purpose, stable over the file's life.
func (k *Keys) Derive(purpose string) []byte {
	out, err := hkdf.Key(sha256.New, k.master, nil, "pulih/"+purpose, 32)
	if err != nil {
		panic("hkdf of 32 bytes: " + err.Error()) // can't happen: the length is far below the limit
	}
	return out
}

// Seal encrypts for one place ("table:row:column"): a value copied to another row doesn't open there. Nil stays nil.
func (k *Keys) Seal(place string, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	head := append([]byte{byte(len(k.seal))}, k.seal...)
	return k.aead[k.seal].Seal(head, nil, plain, []byte(place))
}

// Open decrypts what Seal made for the same place.
func (k *Keys) Open(place string, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	if len(sealed) == 0 || len(sealed) < 1+int(sealed[0]) {
		return nil, fmt.Errorf("opening %s: too short", place)
	}
	id := string(sealed[1 : 1+sealed[0]])
	aead, ok := k.aead[id]
	if !ok {
		return nil, fmt.Errorf("opening %s: the key file has no key %q", place, id)
	}
	plain, err := aead.Open(nil, nil, sealed[1+sealed[0]:], []byte(place))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", place, err)
	}
	return plain, nil
}

// Lookup is a keyed hash for finding a value without storing it; nil for nothing.
func (k *Keys) Lookup(kind, value string) []byte {
	if value == "" {
		return nil
	}
	m := hmac.New(sha256.New, k.lookup)
	fmt.Fprintf(m, "%s\x00%s", kind, value)
	return m.Sum(nil)
}

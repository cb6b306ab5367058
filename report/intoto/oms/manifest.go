package oms

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report/intoto"
)

// PredicateType is the type of the predicate.
const PredicateType = "https://model_signing/signature/v1.0"

// ErrManifest is returned for manifests that break a rule.
var ErrManifest = errors.New("no manifest of a signed model")

// Manifest lists the files of a model.
type Manifest struct {
	Name          string // of the model's folder or file; informational
	Resources     []Resource
	Serialization Serialization
}

// Resource is one file, or a range of bytes of one.
type Resource struct {
	Name      string `json:"name"`      // path with slashes, relative to the model; of a range "path:start:end"
	Digest    string `json:"digest"`    // hexadecimal
	Algorithm string `json:"algorithm"` // as Serialization.HashType
}

// Serialization says how files were listed and digested.
type Serialization struct {
	Method        string   `json:"method"`               // "files" or "shards"
	HashType      string   `json:"hash_type"`            // "sha256", "blake2b" or "blake3"
	ShardSize     whole    `json:"shard_size,omitempty"` // bytes of a range
	AllowSymlinks bool     `json:"allow_symlinks"`       // symbolic links were followed
	IgnorePaths   []string `json:"ignore_paths,omitempty"`
}

// whole is an integer that some writers put down as a float: 4096.0.
type whole int64

func (n *whole) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	if err == nil && (f != math.Trunc(f) || math.Abs(f) > 1<<53) {
		err = strconv.ErrRange
	}
	*n = whole(f)
	return err
}

// predicate is the JSON form.
type predicate struct {
	Resources     []Resource    `json:"resources"`
	Serialization Serialization `json:"serialization"`
}

// Root is the SHA-256 over the digests of all resources in their order, in
// hexadecimal.
func (m *Manifest) Root() (string, error) {
	h := sha256.New()
	for _, r := range m.Resources {
		b, err := hex.DecodeString(r.Digest)
		if err != nil {
			return "", fmt.Errorf("%w: digest of %.200q: %w", ErrManifest, r.Name, err)
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Statement puts the manifest into an in-toto statement.
func (m *Manifest) Statement() (*intoto.Statement, error) {
	root, err := m.Root()
	if err != nil {
		return nil, err
	}
	subject := []intoto.Resource{{Name: m.Name, Digest: map[string]string{"sha256": root}}}
	return intoto.NewStatement(subject, PredicateType, predicate{m.Resources, m.Serialization})
}

// FromStatement reads a manifest. Its digests must add up to the root that its
// subject states.
func FromStatement(s *intoto.Statement) (*Manifest, error) {
	if s.PredicateType != PredicateType || len(s.Subject) != 1 {
		return nil, fmt.Errorf("%w: predicate type %.120q, %d subjects", ErrManifest, s.PredicateType, len(s.Subject))
	}
	var p predicate
	if err := strictjson.Unmarshal(s.Predicate, &p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	m := &Manifest{s.Subject[0].Name, p.Resources, p.Serialization}
	if err := m.check(); err != nil {
		return nil, err
	}
	root, err := m.Root()
	if err == nil && root != s.Subject[0].Digest["sha256"] {
		err = fmt.Errorf("%w: the subject states the root %.64q, the resources give %s", ErrManifest, s.Subject[0].Digest["sha256"], root)
	}
	return m, err
}

// check holds a manifest against the rules of the specification. Resources may
// stand in any order: its reference implementation sorts by the parts of paths,
// not by their text.
func (m *Manifest) check() error {
	s := &m.Serialization
	switch {
	case hashes[s.HashType].new == nil:
		return fmt.Errorf("%w: hash_type %.40q is not sha256, blake2b or blake3", ErrManifest, s.HashType)
	case s.Method != "files" && s.Method != "shards":
		return fmt.Errorf("%w: method %.40q is neither files nor shards", ErrManifest, s.Method)
	case (s.Method == "shards") != (s.ShardSize > 0):
		return fmt.Errorf("%w: shard_size %d with method %s", ErrManifest, s.ShardSize, s.Method)
	case len(m.Resources) == 0:
		return fmt.Errorf("%w: it lists no file", ErrManifest)
	}
	for _, p := range s.IgnorePaths {
		if !utf8.ValidString(p) || p == "" || strings.HasPrefix(p, "/") {
			return fmt.Errorf("%w: ignored path %.200q", ErrManifest, p)
		}
	}
	seen := map[string]bool{}
	for _, r := range m.Resources {
		if err := m.checkResource(r); err != nil {
			return err
		}
		if seen[r.Name] {
			return fmt.Errorf("%w: %.200q stands twice", ErrManifest, r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}

func (m *Manifest) checkResource(r Resource) error {
	want := m.Serialization.HashType
	name, err := r.Name, error(nil)
	if m.Serialization.Method == "shards" {
		if name, _, _, err = splitRange(r.Name); err != nil {
			return err
		}
		// As the reference implementation names it.
		if r.Algorithm == fmt.Sprintf("%s-sharded-%d", want, m.Serialization.ShardSize) {
			want = r.Algorithm
		}
	}
	if name == "" || name != path.Clean(name) || path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
		return fmt.Errorf("%w: %.200q is no path inside a model", ErrManifest, r.Name)
	}
	if r.Algorithm != want {
		return fmt.Errorf("%w: %.200q has algorithm %.40q, the manifest %s", ErrManifest, r.Name, r.Algorithm, m.Serialization.HashType)
	}
	if size := 2 * hashes[m.Serialization.HashType].size; len(r.Digest) != size || !hexDigits.MatchString(r.Digest) {
		return fmt.Errorf("%w: the digest of %.200q is not %d hexadecimal digits", ErrManifest, r.Name, size)
	}
	return nil
}

var hexDigits = regexp.MustCompile(`^[0-9a-f]+$`)

// byteRange matches "path:start:end"; the path may hold colons.
var byteRange = regexp.MustCompile(`^(.+):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})$`)

func splitRange(name string) (file string, start, end int64, err error) {
	if m := byteRange.FindStringSubmatch(name); m != nil {
		start, err = strconv.ParseInt(m[2], 10, 64)
		if err == nil {
			end, err = strconv.ParseInt(m[3], 10, 64)
		}
		if err == nil && start < end {
			return m[1], start, end, nil
		}
	}
	return "", 0, 0, fmt.Errorf("%w: %.200q is no range of bytes", ErrManifest, name)
}

// SHA256 lists the digests of whole files by path; nil for other manifests.
func (m *Manifest) SHA256() map[string]string {
	if m.Serialization.Method != "files" || m.Serialization.HashType != "sha256" {
		return nil
	}
	out := map[string]string{}
	for _, r := range m.Resources {
		out[r.Name] = r.Digest
	}
	return out
}

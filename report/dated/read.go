package dated

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// ErrUndated is returned for a file that no token among those given stamps.
var ErrUndated = errors.New("no time stamp over it")

// maxObject bounds what is read of a stamped file, in bytes. A model's own file
// need not be read here: its SHA-256 is compared.
const maxObject = 64 << 20

// file is one file that was given or lies beside a token.
type file struct {
	path   string
	text   []byte
	token  *Token
	beside bool // not given: it lies beside a token
	used   bool // a token stamps it, or it opens a commitment
}

// Read makes dates of files: tokens and what they stamp, in any order, told apart
// by their content. What a token stamps may also lie beside it under the token's
// name without its last ending (model.manifest.json.tsr), or be a file of a model,
// whose SHA-256 the token then holds. A commitment takes its secret opening, given
// or beside it (model.commit.opening). Without roots no token is trusted, and each
// date says why it is ignored.
//
// Errors are ErrToken, ErrSignature, ErrAuthority, ErrImprint, ErrUndated, or of
// reading files.
func Read(paths []string, roots *x509.CertPool) ([]report.Date, error) {
	var all []*file
	for _, p := range paths {
		f, err := open(p)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	all = withNeighbours(all)
	var openings []*commitment.Opening
	for _, f := range all {
		if o, err := commitment.DecodeOpening(f.text); f.token == nil && err == nil {
			openings = append(openings, o)
			f.used = true
		}
	}
	out := []report.Date{}
	for _, f := range all {
		if f.token == nil {
			continue
		}
		d, err := f.date(all, openings, roots)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", escape.Printable(f.path), err)
		}
		out = append(out, d)
	}
	for _, f := range all {
		if f.token == nil && !f.used && !f.beside {
			return nil, fmt.Errorf("%s: %w: give the token that stamps it with --dated too; a signature carries no date of its own", escape.Printable(f.path), ErrUndated)
		}
	}
	return out, nil
}

// open reads a file. What begins like a token must be one.
func open(path string) (*file, error) {
	r, _, err := saferio.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxObject+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxObject {
		return nil, fmt.Errorf("%s: larger than %d bytes; of a model's own file give the token alone", escape.Printable(path), maxObject)
	}
	f := &file{path: path, text: b}
	if len(b) > 0 && b[0] == sequence || slices.Contains([]string{".tsr", ".tst"}, filepath.Ext(path)) {
		if f.token, err = ParseToken(b); err != nil {
			return nil, fmt.Errorf("%s: %w", escape.Printable(path), err)
		}
	}
	return f, nil
}

// sequence is the first byte of a structure in DER.
const sequence = 0x30

// withNeighbours adds what lies beside tokens and commitments, as their names say.
func withNeighbours(all []*file) []*file {
	add := func(path string) {
		if slices.ContainsFunc(all, func(f *file) bool { return filepath.Clean(f.path) == filepath.Clean(path) }) {
			return
		}
		if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err != nil || info.Size() > maxObject || !info.Mode().IsRegular() {
			return
		}
		if b, err := saferio.ReadFile(path, maxObject); err == nil {
			all = append(all, &file{path: path, text: b, beside: true})
		}
	}
	for _, f := range slices.Clone(all) {
		if ext := filepath.Ext(f.path); f.token != nil && ext != "" {
			add(f.path[:len(f.path)-len(ext)])
		}
	}
	for _, f := range slices.Clone(all) {
		if f.token == nil {
			add(f.path + ".opening")
		}
	}
	return all
}

// date says what a token dates.
func (f *file) date(all []*file, openings []*commitment.Opening, roots *x509.CertPool) (report.Date, error) {
	d := report.Date{File: filepath.Base(f.path), Object: "a file", By: stated(f.token.By()), From: stated(f.token.From()), Authority: f.token.Authority}
	if f.token.Hash == crypto.SHA256 {
		d.Files = []string{hex.EncodeToString(f.token.Imprint)}
	}
	found := false
	for _, o := range all {
		if o.token != nil || !f.token.Of(o.text) {
			continue
		}
		found, o.used = true, true
		x := bind(o.text)
		d.Object, d.Root = x.what, x.root
		if x.root != nil || x.commitment != nil || x.files != nil {
			d.Files = x.files
		}
		if x.commitment == nil {
			break
		}
		if d.Opens = opens(x.commitment, openings); d.Opens == nil {
			d.Ignored = "a commitment binds no model without its opening: give it with --dated too"
		}
		break
	}
	if !found {
		if err := f.missing(all); err != nil {
			return d, err
		}
	}
	if roots == nil {
		d.Ignored = "not verified: give the authority's root certificate with --roots"
		return d, nil
	}
	return d, f.token.Trust(roots)
}

func stated(t time.Time) verdict.Time { return verdict.Time(t.Format(time.RFC3339)) }

// missing says why nothing that is at hand is what a token stamps; nil where a
// model's own file may be.
func (f *file) missing(all []*file) error {
	for _, o := range all {
		if o.beside && o.path == f.path[:len(f.path)-len(filepath.Ext(f.path))] {
			return fmt.Errorf("%w than %s, which lies beside it", ErrImprint, escape.Printable(filepath.Base(o.path)))
		}
	}
	if f.token.Hash != crypto.SHA256 {
		return fmt.Errorf("%w: none of the files given has the digest that it holds (%v); a model's own file is stamped by SHA-256", ErrImprint, f.token.Hash)
	}
	return nil
}

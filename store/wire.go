package store

import (
	"bytes"
	"errors"
	"io/fs"
	"time"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

// protocol is what a helper program says first; another one is of another
// version.
const protocol = "weightprint store 1"

// operation names what a request asks for.
type operation string

const (
	opAdd    operation = "add"
	opRemove operation = "remove"
	opMerge  operation = "merge"
	opSave   operation = "save"
	opList   operation = "list"
	opSearch operation = "search"
	opCheck  operation = "check"
	opReady  operation = "ready"
	opCancel operation = "cancel" // the request of this number
)

// request is one call, in package gob's encoding. Only the fields of its
// operation are set.
type request struct {
	Number  uint64
	Do      operation
	Left    time.Duration // until the caller's deadline; 0 for none
	Entries []wireEntry
	Names   []string
	Numbers []int64
	Paths   []string
	Query   []byte // a fingerprint file
	Top     int
	Level   stats.LogP
}

// answer is the result of the request of its number. The first one has number 0
// and says the protocol.
type answer struct {
	Number  uint64
	Hello   string
	Fault   string // "" if it went well
	Kind    string // a name in kinds, or ""
	Added   index.Added
	N       int
	Names   []string
	Bad     []wireBad
	Hits    []wireHit
	Leads   []wireHit
	Counted [2]int // searched, quarantined
}

type wireEntry struct {
	Name string
	File []byte
}

type wireBad struct {
	Number      int64
	Name        string
	Fault, Kind string
}

// wireHit carries the pointers to p-values apart: gob leaves out zeros behind
// pointers.
type wireHit struct {
	Hit   index.Hit
	HasP  [2]bool
	Exact [2]stats.LogP
}

// kinds are the errors that callers tell apart.
var kinds = []struct {
	name string
	err  error
}{
	{"missing", index.ErrMissing}, {"corrupt", index.ErrCorrupt}, {"name", index.ErrName}, {"entry", index.ErrNoEntry},
	{"foreign", index.ErrForeign}, {"file", fingerprint.ErrFile}, {"version", fingerprint.ErrVersion},
	{"exists", fs.ErrExist}, {"absent", fs.ErrNotExist},
}

func faultOf(err error) (text, kind string) {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return err.Error(), k.name
		}
	}
	return err.Error(), ""
}

// fault is an error from the other side: its words, and what it is.
type fault struct {
	text string
	is   error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.is }

func errorOf(text, kind string) error {
	f := &fault{text: text}
	for _, k := range kinds {
		if k.name == kind {
			f.is = k.err
		}
	}
	return f
}

func packEntries(all []index.Entry) ([]wireEntry, error) {
	out := make([]wireEntry, len(all))
	for i, e := range all {
		file, err := fileOf(e.Fingerprint)
		if err != nil {
			return nil, err
		}
		out[i] = wireEntry{e.Name, file}
	}
	return out, nil
}

func fileOf(f *fingerprint.Fingerprint) ([]byte, error) {
	var b bytes.Buffer
	_, err := f.WriteTo(&b)
	return b.Bytes(), err
}

func unpackEntries(all []wireEntry) ([]index.Entry, error) {
	out := make([]index.Entry, len(all))
	for i, e := range all {
		f, err := fingerprint.Decode(e.File)
		if err != nil {
			return nil, err
		}
		out[i] = index.Entry{Name: e.Name, Fingerprint: f}
	}
	return out, nil
}

func packBad(all []index.Bad) []wireBad {
	out := make([]wireBad, len(all))
	for i, b := range all {
		out[i] = wireBad{Number: b.Number, Name: b.Name}
		out[i].Fault, out[i].Kind = faultOf(b.Err)
	}
	return out
}

func unpackBad(all []wireBad) (out []index.Bad) {
	for _, b := range all {
		out = append(out, index.Bad{Number: b.Number, Name: b.Name, Err: errorOf(b.Fault, b.Kind)})
	}
	return out
}

// evidences are the two results that a hit holds.
func evidences(h *index.Hit) [2]*similarity.Evidence {
	return [2]*similarity.Evidence{&h.Evidence, &h.Agreement}
}

func packHits(all []index.Hit) []wireHit {
	out := make([]wireHit, len(all))
	for i, h := range all {
		w := &out[i]
		w.Hit = h
		for k, e := range evidences(&w.Hit) {
			if w.HasP[k] = e.P != nil; w.HasP[k] {
				w.Exact[k], e.P = *e.P, nil
			}
		}
	}
	return out
}

func unpackHits(all []wireHit) (out []index.Hit) {
	for i := range all {
		w := &all[i]
		for k, e := range evidences(&w.Hit) {
			if w.HasP[k] {
				e.P = &w.Exact[k]
			}
		}
		out = append(out, w.Hit)
	}
	return out
}

// Package index keeps many fingerprints in two append-only files and searches
// them exactly: a scan over one-bit summaries of all entries, then the
// fixed-point test on the full sketches of the nearest.
//
//	FILE          records of 1024 bytes, each with its own digest
//	FILE.details  the fingerprint files, one behind the other
//
// A record is appended only after its details are on disk, so a writer that
// is killed leaves every earlier record readable; what it left half-written is
// cut off by the next writer. Writers exclude each other by a lock.
package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/screen"
)

// Errors of an index.
var (
	ErrCorrupt = errors.New("the index is damaged")
	ErrName    = errors.New("a name has 1 to 160 bytes")
)

const (
	recordBytes  = 1024
	magic        = "WPINDEX1"
	maxNameBytes = 160

	summaryLayers = 3
	summaryUnits  = 8
)

// Entry is one indexed fingerprint.
type Entry struct {
	Name        string
	Fingerprint *fingerprint.Fingerprint
}

// record is the fixed part of an entry.
type record struct {
	name        string
	root        fingerprint.Digest
	offset      int64 // of the details
	size        int64
	length, dim uint32                                  // of the sketched axes
	words       [summaryLayers][2 * summaryUnits]uint64 // the first units of the first, middle and last sketch
}

// Index is an open index.
type Index struct {
	path    string
	records []record
}

// Open reads an index; a file that is not there is an empty index. A torn
// record at the end, as a killed writer leaves, is ignored.
func Open(path string) (*Index, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return &Index{path: path}, nil
	}
	if err != nil {
		return nil, err
	}
	x := &Index{path: path}
	for at := 0; at+recordBytes <= len(b); at += recordBytes {
		r, err := decode(b[at : at+recordBytes])
		if err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", path, at/recordBytes, err)
		}
		x.records = append(x.records, r)
	}
	return x, nil
}

// Len is the number of entries.
func (x *Index) Len() int { return len(x.records) }

// Names lists the entries in the order in which they were added.
func (x *Index) Names() []string {
	out := make([]string, len(x.records))
	for i := range out {
		out[i] = x.records[i].name
	}
	return out
}

// Add appends entries to the index file. An entry with a name and root that
// are there already is left out. It returns how many were added.
func Add(path string, entries ...Entry) (added int, err error) {
	for _, e := range entries {
		if e.Name == "" || len(e.Name) > maxNameBytes {
			return 0, fmt.Errorf("%q: %w", e.Name, ErrName)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := lock(f); err != nil {
		return 0, fmt.Errorf("%s: lock: %w", path, err)
	}
	x, err := Open(path)
	if err != nil {
		return 0, err
	}
	if err := f.Truncate(int64(len(x.records)) * recordBytes); err != nil {
		return 0, err
	}
	details, err := os.OpenFile(path+".details", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, details.Close()) }()
	end := x.detailsEnd()
	if err := details.Truncate(end); err != nil {
		return 0, err
	}
	var fixed bytes.Buffer
	for _, e := range entries {
		r := summarise(e)
		if slices.ContainsFunc(x.records, func(o record) bool { return o.name == r.name && o.root == r.root }) {
			continue
		}
		var b bytes.Buffer
		if _, err := e.Fingerprint.WriteTo(&b); err != nil {
			return 0, err
		}
		r.offset, r.size = end, int64(b.Len())
		if _, err := details.WriteAt(b.Bytes(), end); err != nil {
			return 0, err
		}
		end += r.size
		x.records = append(x.records, r)
		fixed.Write(r.encode())
		added++
	}
	if err := details.Sync(); err != nil {
		return 0, err
	}
	if _, err := f.WriteAt(fixed.Bytes(), int64(len(x.records)-added)*recordBytes); err != nil {
		return 0, err
	}
	return added, f.Sync()
}

// detailsEnd is where the details of the last record end.
func (x *Index) detailsEnd() int64 {
	end := int64(0)
	for i := range x.records {
		end = max(end, x.records[i].offset+x.records[i].size)
	}
	return end
}

// Entry reads one entry with its details.
func (x *Index) Entry(i int) (Entry, error) {
	r := &x.records[i]
	f, err := os.Open(x.path + ".details")
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	if r.size > fingerprint.MaxFileBytes {
		return Entry{}, fmt.Errorf("%s.details: %w", x.path, ErrCorrupt)
	}
	p, err := fingerprint.Read(io.NewSectionReader(f, r.offset, r.size))
	if err != nil {
		return Entry{}, fmt.Errorf("%s.details: offset %d: %w", x.path, r.offset, err)
	}
	return Entry{r.name, p}, nil
}

// Merge writes the entries of several indexes to a new one, sorted by root and
// name, each once: the result is the same bytes in whatever order they are
// given.
func Merge(to string, from ...string) error {
	var all []Entry
	for _, path := range from {
		x, err := Open(path)
		if err != nil {
			return err
		}
		for i := range x.records {
			e, err := x.Entry(i)
			if err != nil {
				return err
			}
			all = append(all, e)
		}
	}
	key := func(e Entry) []byte { r := rootOf(e); return append(r[:], e.Name...) }
	slices.SortFunc(all, func(a, b Entry) int { return bytes.Compare(key(a), key(b)) })
	all = slices.CompactFunc(all, func(a, b Entry) bool { return bytes.Equal(key(a), key(b)) })
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s exists", to)
	}
	_, err := Add(to, all...)
	return err
}

// rootOf identifies an entry's content: the values' root, or the header where
// values were not read.
func rootOf(e Entry) fingerprint.Digest {
	if e.Fingerprint.Complete {
		return e.Fingerprint.Root
	}
	return e.Fingerprint.Header
}

// Hit is an entry that a search found.
type Hit struct {
	Name     string
	Same     bool            // the values are the same
	P        similarity.LogP // corrected for the number of entries searched
	Evidence similarity.Evidence
}

// reranked is how many of the nearest entries by summary are tested in full;
// an index of no more than this is tested whole.
const reranked = 256

// Search finds the entries that share an origin with a fingerprint, best
// first, at most top of them, with corrected p no larger than level.
func (x *Index) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level similarity.LogP) ([]Hit, error) {
	query := summarise(Entry{Name: "query", Fingerprint: f})
	var out []Hit
	for _, i := range x.nearest(&query) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := x.Entry(i)
		if err != nil {
			return nil, err
		}
		found, p := screen.Best(screen.Run(e.Fingerprint, f))
		h := Hit{Name: e.Name, Same: f.Complete && e.Fingerprint.Complete && f.Root == e.Fingerprint.Root}
		if found != nil {
			h.Evidence, h.P = *found, similarity.Bonferroni(p, len(x.records))
		}
		if h.Same || found != nil && h.P <= level {
			out = append(out, h)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		switch {
		case a.Same != b.Same:
			return a.Same
		case a.P != b.P:
			return a.P < b.P
		}
		return a.Name < b.Name
	})
	return out[:min(len(out), top)], nil
}

// nearest lists the entries whose summaries are nearest to the query's, all of
// a small index.
func (x *Index) nearest(q *record) []int {
	order := make([]int, len(x.records))
	for i := range order {
		order[i] = i
	}
	if len(order) <= reranked {
		return order
	}
	far := make([]int, len(order))
	for i := range x.records {
		far[i] = q.distance(&x.records[i])
	}
	sort.SliceStable(order, func(a, b int) bool { return far[order[a]] < far[order[b]] })
	return order[:reranked]
}

var le = binary.LittleEndian

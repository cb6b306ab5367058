// Package store keeps fingerprints and searches them behind one interface: in
// the embedded index of package index, or in a database that a program of its
// own speaks to. All stores give the same answers to the bit: they hold what the
// embedded index holds, number entries as it does, and search by index.SearchIn.
//
// Databases need client libraries that the module shall not depend on. So a
// database is reached through a helper program, started with its streams
// connected to the caller ([Open], [Serve]); docs/adr/0022 has the reasons.
package store

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Store keeps entries. It is safe for concurrent use.
type Store interface {
	// Add commits all entries or none; see index.Add.
	Add(ctx context.Context, entries []index.Entry) (index.Added, error)
	// Remove takes entries out; see index.Remove.
	Remove(ctx context.Context, names []string, numbers []int64) (int, error)
	// Merge fills a store that never held anything from embedded indexes; see index.Merge.
	Merge(ctx context.Context, from []string) error
	// Save writes all entries to a new embedded index.
	Save(ctx context.Context, path string) error
	// List names the entries in the order in which they were added.
	List(ctx context.Context) (*Listed, error)
	// Search finds the entries that share an origin with a fingerprint; see index.Index.Search.
	Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (*index.Found, error)
	// Check reads every entry whole; see index.Index.Check.
	Check(ctx context.Context) (*Checked, error)
	// Ready tells whether searches can be answered.
	Ready(ctx context.Context) error
	io.Closer
}

// Flawed is a Store that knows without reading it whole which entries cannot be searched,
// and signs that a commit was lost.
type Flawed interface {
	Flaws() (bad []index.Bad, lost []error, err error)
}

// Batched is a Store that answers many searches at less than the cost of each.
type Batched interface {
	SearchAll(ctx context.Context, fs []*fingerprint.Fingerprint, top int, level stats.LogP) ([]*index.Found, error)
}

// SearchAll answers many searches, with one result each.
func SearchAll(ctx context.Context, s Store, fs []*fingerprint.Fingerprint, top int, level stats.LogP) (out []*index.Found, err error) {
	if b, ok := s.(Batched); ok {
		return b.SearchAll(ctx, fs, top, level)
	}
	for _, f := range fs {
		found, err := s.Search(ctx, f, top, level)
		if err != nil {
			return nil, err
		}
		out = append(out, found)
	}
	return out, nil
}

// Listed is what a store holds.
type Listed struct {
	Names []string
	Bad   []index.Bad // records that cannot be read
}

// Checked is the result of reading a whole store.
type Checked struct {
	Entries int // that were read, the bad ones included
	Bad     []index.Bad
	Header  []error // what is wrong with the header; see index.Index.CheckHeader
}

// schemes are beginnings of what names a database, and the helper program that
// speaks to it.
var schemes = []struct{ prefix, program string }{
	{"postgres://", "weightprint-postgres"},
	{"postgresql://", "weightprint-postgres"},
}

// IsDSN tells whether text names a database and not a file.
func IsDSN(text string) bool { return programOf(text) != "" }

func programOf(dsn string) string {
	for _, s := range schemes {
		if strings.HasPrefix(dsn, s.prefix) {
			return s.program
		}
	}
	return ""
}

// Open connects to the database that a DSN names. What its helper program has to
// say goes to stderr.
func Open(ctx context.Context, dsn string, stderr io.Writer) (Store, error) {
	name := programOf(dsn)
	if name == "" {
		return nil, fmt.Errorf("a DSN begins with postgres:// or postgresql://")
	}
	program, err := find(name)
	if err != nil {
		return nil, err
	}
	return start(ctx, program, dsn, stderr)
}

// Variable names the environment variable that carries a DSN to the helper
// program, as arguments can be read by other users of a machine.
const Variable = "WEIGHTPRINT_DSN"

// environment is that of this process with the DSN.
func environment(dsn string) []string {
	return append(os.Environ(), Variable+"="+dsn)
}

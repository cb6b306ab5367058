package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

// indexCommand measures the search of many entries.
func indexCommand() *cobra.Command {
	var entries, searches int
	c := &cobra.Command{
		Use:   "index DIR",
		Short: "make an index of synthetic records in DIR and search it: time, memory, and whether the one is found",
		Long: `index makes an index of synthetic strangers around one real fingerprint, opens it
and searches it for that one, for one that has nothing but its little-used tokens, and
for strangers. Every search looks at every
record. The index is kept and used again if it has the right size.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return benchIndex(c.Context(), c.OutOrStdout(), args[0], entries, searches)
		},
	}
	c.Flags().IntVar(&entries, "entries", 1_000_000, "records")
	c.Flags().IntVar(&searches, "searches", 9, "searches of each kind")
	return c
}

// figure writes a result in the format of Go benchmarks.
func figure(w io.Writer, name string, n int, took time.Duration, more string) {
	fmt.Fprintf(w, "Benchmark%s \t%8d\t%12d ns/op%s\n", name, n, took.Nanoseconds()/int64(max(1, n)), more)
}

func benchIndex(ctx context.Context, w io.Writer, dir string, entries, searches int) error {
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, &fingerprint.Options{SketchOnly: true}) // no digests: a million would fill a disk
	one.Tokens = fingerprinttest.Of(fingerprinttest.Middle, 1, nil).Tokens
	path := filepath.Join(dir, fmt.Sprintf("index-%d", entries))
	if err := makeIndex(w, path, one, entries); err != nil {
		return err
	}
	begun := time.Now()
	x, err := index.Open(path)
	if err != nil {
		return err
	}
	defer x.Close()
	if x.Len() != entries {
		return fmt.Errorf("%s holds %d entries, not %d: remove it", path, x.Len(), entries)
	}
	figure(w, "IndexOpen", 1, time.Since(begun), fmt.Sprintf("\t%12d records", entries))
	r := rand.New(rand.NewPCG(3, 3))
	for _, q := range []struct {
		name string
		find int
		of   func() *fingerprint.Fingerprint
	}{
		{"IndexSearchRelative", 1, func() *fingerprint.Fingerprint { return one }},
		{"IndexSearchDisguised", 1, func() *fingerprint.Fingerprint {
			f := fingerprinttest.Like(one, r)
			f.Tokens = one.Tokens
			return f
		}},
		{"IndexSearchStranger", 0, func() *fingerprint.Fingerprint { return fingerprinttest.Like(one, r) }},
	} {
		for range searches {
			f := q.of()
			begun := time.Now()
			found, err := x.Search(ctx, f, 10, -6.9)
			if err != nil {
				return err
			}
			took := time.Since(begun)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			figure(w, q.name, 1, took, fmt.Sprintf("\t%12d heap-B\t%12d sys-B\t%4d hits", m.HeapInuse, m.Sys, len(found.Hits)))
			if len(found.Hits) != q.find {
				return fmt.Errorf("%s: %d hits among %d records, expected %d", q.name, len(found.Hits), found.Searched, q.find)
			}
		}
	}
	return nil
}

// makeIndex writes strangers, and one entry in the middle of them.
func makeIndex(w io.Writer, path string, one *fingerprint.Fingerprint, entries int) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	begun := time.Now()
	out, err := index.OpenWriter(path)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 1))
	const batch = 4096
	for first := 0; first < entries; first += batch {
		var some []index.Entry
		for i := first; i < min(first+batch, entries); i++ {
			f := fingerprinttest.Like(one, r)
			if i == entries/2 {
				f = one
			}
			some = append(some, index.Entry{Name: fmt.Sprint("entry ", i), Fingerprint: f})
		}
		if _, err := out.Add(some...); err != nil {
			return err
		}
	}
	figure(w, "IndexAdd", entries, time.Since(begun), "")
	return out.Close()
}

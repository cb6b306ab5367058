package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/store"
)

func indexCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "index",
		Short:   "keep many fingerprints and search them",
		Long:    "index keeps fingerprints in append-only files, FILE, FILE.details and FILE.keys, or\nwith --dsn in a PostgreSQL database, and finds the models that share an origin with\nanother.",
		Example: "  weightprint index add --index models.wpi models/*\n  weightprint index search --index models.wpi suspect/",
	}
	var at place
	c.AddCommand(indexAdd(&at), indexSearch(&at), indexList(&at), indexMerge(&at), indexRemove(&at), indexCheck(&at), indexPairs(&at))
	for _, verb := range c.Commands() {
		at.flags(verb)
	}
	return c
}

// place is where an index is kept.
type place struct{ file, dsn string }

func (p *place) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.file, "index", "", "index file")
	c.Flags().StringVar(&p.dsn, "dsn", "", "database in place of an index file: postgres://…")
	c.MarkFlagsOneRequired("index", "dsn")
	c.MarkFlagsMutuallyExclusive("index", "dsn")
}

// open reaches the store. Files are not opened before they are needed.
func (p *place) open(c *cobra.Command) (store.Store, error) {
	if p.dsn == "" {
		return store.Files(p.file), nil
	}
	if !store.IsDSN(p.dsn) {
		return nil, usageError{fmt.Errorf("--dsn: a DSN begins with postgres://")}
	}
	return store.Open(c.Context(), p.dsn, c.ErrOrStderr())
}

func indexAdd(at *place) *cobra.Command {
	var ndjson bool
	c := &cobra.Command{
		Use:   "add MODEL…",
		Short: "add models or fingerprint files, under their names",
		Long: `add appends fingerprints; what has the same name and the same values is added
once. Models with the values of an earlier entry are added under their own name,
and the output says whose values they are.`,
		Example: "  weightprint index add --index models.wpi base/ base.wfp\n  weightprint index add --index models.wpi --ndjson < prints.ndjson",
		RunE: func(c *cobra.Command, refs []string) error {
			if len(refs) == 0 && !ndjson {
				return usageError{fmt.Errorf("index add: no models given")}
			}
			return addAll(c, at, refs, ndjson)
		},
	}
	c.Flags().BoolVar(&ndjson, "ndjson", false, "read records of fingerprint --ndjson from the standard input")
	return c
}

// addAll adds models one by one and records some at a time, so that what was
// done before an error stays.
func addAll(c *cobra.Command, at *place, refs []string, ndjson bool) error {
	w, err := at.forWriting(c, refs)
	if err != nil {
		return err
	}
	defer w.Close()
	var total index.Added
	add := func(all []index.Entry) error {
		a, err := w.Add(c.Context(), all)
		total.New, total.Known, total.Copies = total.New+a.New, total.Known+a.Known, append(total.Copies, a.Copies...)
		return err
	}
	for _, ref := range refs {
		f, err := printWatched(c, ref, int64(report.Full))
		if err != nil {
			return err
		}
		if err := add([]index.Entry{{Name: nameOf(ref), Fingerprint: f}}); err != nil {
			return err
		}
	}
	failed := 0
	if ndjson {
		if failed, err = readLines(interruptible(c.Context(), c.InOrStdin()), add); err != nil {
			return err
		}
	}
	out := c.OutOrStdout()
	for _, x := range total.Copies {
		fmt.Fprintf(out, "%s has the values of %s\n", escape.Printable(x.Name), escape.Printable(x.Of))
	}
	fmt.Fprintf(out, "added %d of %d\n", total.New, total.New+total.Known)
	if failed > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: %d records of errors were passed over\n", failed)
	}
	return w.Close()
}

// forWriting reaches the store and finds out, before any work is done, whether
// it can be written.
func (p *place) forWriting(c *cobra.Command, refs []string) (store.Store, error) {
	if p.dsn == "" {
		if err := placeIndex(c, refs, p.file); err != nil {
			return nil, err
		}
	}
	s, err := p.open(c)
	if err == nil {
		_, err = s.Add(c.Context(), nil)
	}
	return s, err
}

// placeIndex looks at the place of a new index. One that is there says itself
// that it is an index.
func placeIndex(c *cobra.Command, refs []string, file string) error {
	if _, err := os.Lstat(file); err == nil {
		return nil
	}
	r := rulesOf(c, refs, nil)
	r.Inputs = slices.DeleteFunc(r.Inputs, func(in string) bool { return in == file })
	_, err := outfile.Prepare(file, r)
	return err
}

// nameOf is the last part of a reference that says something.
func nameOf(ref string) string {
	name := filepath.Base(filepath.Clean(ref))
	if ext := filepath.Ext(name); ext == ".wfp" {
		name = name[:len(name)-len(ext)]
	}
	return name
}

func indexMerge(at *place) *cobra.Command {
	return &cobra.Command{
		Use:     "merge INDEX…",
		Short:   "write the entries of other indexes, sorted and each once, to a new index",
		Long:    "merge writes the entries of other indexes, sorted and each once, to a new index or an\nempty database. An INDEX is a file, or a database as postgres://…",
		Example: "  weightprint index merge --index all.wpi one.wpi other.wpi\n  weightprint index merge --dsn postgres://hub/models all.wpi",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, from []string) error {
			to, err := at.forWriting(c, from)
			if err != nil {
				return err
			}
			defer to.Close()
			dir, gone, err := outfile.Scratch("weightprint-merge-")
			if err != nil {
				return err
			}
			defer gone()
			if from, err = saved(c, dir, from); err != nil {
				return err
			}
			return errors.Join(to.Merge(c.Context(), from), to.Close())
		},
	}
}

// saved writes the databases among the sources of a merge to files in a folder.
func saved(c *cobra.Command, dir string, from []string) (out []string, err error) {
	for i, f := range from {
		if store.IsDSN(f) {
			s, err := store.Open(c.Context(), f, c.ErrOrStderr())
			if err != nil {
				return nil, err
			}
			f = filepath.Join(dir, fmt.Sprint(i))
			if err := errors.Join(s.Save(c.Context(), f), s.Close()); err != nil {
				return nil, err
			}
		}
		out = append(out, f)
	}
	return out, nil
}

func indexRemove(at *place) *cobra.Command {
	var numbers []int64
	c := &cobra.Command{
		Use:   "remove NAME…",
		Short: "take entries out of an index",
		Long: `remove takes out all entries of the given names, and with --number the records of
the numbers that check prints, all of them or none. The files only grow; merge
writes a new index without what was removed.`,
		Example: "  weightprint index remove --index models.wpi withdrawn\n  weightprint index remove --index models.wpi --number 17",
		RunE: func(c *cobra.Command, names []string) error {
			if len(names)+len(numbers) == 0 {
				return usageError{fmt.Errorf("index remove: no names given")}
			}
			s, err := at.open(c)
			if err != nil {
				return err
			}
			defer s.Close()
			n, err := s.Remove(c.Context(), names, numbers)
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "removed %d\n", n)
			}
			return err
		},
	}
	c.Flags().Int64SliceVar(&numbers, "number", nil, "number of a record to remove, as check prints it")
	return c
}

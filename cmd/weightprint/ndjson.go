package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/store"
)

// printAll fingerprints one reference a line, to the standard output or behind
// the records that a file has.
func printAll(c *cobra.Command, file string, most int64) (err error) {
	if isStream(file) {
		return printLines(c.Context(), interruptible(c.Context(), c.InOrStdin()), c.OutOrStdout(), nil, most)
	}
	f, err := outfile.Append(file, rulesOf(c, nil, nil))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	done, whole, err := recorded(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	return errors.Join(printLines(c.Context(), interruptible(c.Context(), c.InOrStdin()), f, done, most), f.Sync())
}

// recorded lists the references that a file has records of, and where its last
// whole record ends. Anything that is no record, and no beginning of one at the
// end, is an error: it is not ours to cut off.
func recorded(r io.Reader) (done map[string]bool, whole int64, err error) {
	done = map[string]bool{}
	b := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := readLine(b)
		switch {
		case errors.Is(err, io.EOF):
			return done, whole, nil
		case errors.Is(err, io.ErrUnexpectedEOF) && isRecords(text):
			return done, whole, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, 0, fmt.Errorf("line %d is no record", n)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
		whole += int64(len(text)) + 1
		var l store.Line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, 0, fmt.Errorf("line %d is no record: %w", n, err)
		}
		if l.Schema != store.LineSchema {
			return nil, 0, fmt.Errorf("line %d is no record: schema %q, expected %q", n, l.Schema, store.LineSchema)
		}
		done[l.Ref] = true
	}
}

// maxLine is the longest record: a fingerprint file in base64 and some text.
const maxLine = 2 * fingerprint.MaxFileBytes

// readLine reads up to the next line feed, which is left out. A last line
// without one is io.ErrUnexpectedEOF.
func readLine(b *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := b.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text[:len(text)-1], nil
		case errors.Is(err, io.EOF) && len(text) > 0:
			return text, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(text) > maxLine:
			return nil, fmt.Errorf("longer than %d bytes", maxLine)
		}
	}
}

// printLines writes a record for each reference that is not done. Records are
// written one by one, as they are ready.
func printLines(ctx context.Context, in io.Reader, out io.Writer, done map[string]bool, most int64) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		ref := strings.TrimSpace(s.Text())
		if ref == "" || done[source.Redacted(ref)] {
			continue
		}
		r := printLine(ctx, ref, most)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	return s.Err()
}

func printLine(ctx context.Context, ref string, most int64) store.Line {
	r := store.Line{Schema: store.LineSchema, Ref: source.Redacted(ref)}
	f, err := printModel(ctx, ref, most)
	var b bytes.Buffer
	if err == nil {
		_, err = f.WriteTo(&b)
	}
	if err != nil {
		r.Error = oneLine(err)
		return r
	}
	r.Fingerprint, r.Parameters = b.Bytes(), f.Parameters
	if f.Complete {
		r.Root = f.Root.String()
	}
	return r
}

// batchEntries is how many records index add takes to a commit.
const batchEntries = 256

// readLines gives the records of fingerprint --ndjson to add, some at a time.
// Records of errors are passed over and counted.
func readLines(r io.Reader, add func([]index.Entry) error) (failed int, err error) {
	b := bufio.NewReaderSize(r, 1<<16)
	var batch []index.Entry
	for n := 1; ; n++ {
		text, err := readLine(b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return failed, fmt.Errorf("line %d: %w", n, err)
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		e, err := entryOf(text)
		switch {
		case err != nil:
			return failed, fmt.Errorf("line %d: %w", n, err)
		case e == nil:
			failed++
			continue
		}
		if batch = append(batch, *e); len(batch) == batchEntries {
			if err := add(batch); err != nil {
				return failed, err
			}
			batch = nil
		}
	}
	return failed, add(batch)
}

// entryOf reads a record; nil for the record of an error.
func entryOf(text []byte) (*index.Entry, error) {
	l, f, err := store.ReadLine(text)
	if err != nil || f == nil {
		return nil, err
	}
	return &index.Entry{Name: nameOf(l.Ref), Fingerprint: f}, nil
}

package index

import (
	"bytes"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
)

// batch is what one Add appends.
type batch struct {
	Added
	fixed, details bytes.Buffer
	end            int64 // of the details, in the file
	records        []record
	known          map[string]struct{}
	first          map[fingerprint.Digest]string
}

// prepared is an entry as it will be written, but for its place.
type prepared struct {
	record
	file []byte
}

// prepare does the work that needs no right to write, on all processors.
func prepare(entries []Entry) ([]prepared, error) {
	out, errs := make([]prepared, len(entries)), make([]error, len(entries))
	dense.Parallel(len(entries), func(i int) {
		var file bytes.Buffer
		if _, err := entries[i].Fingerprint.WriteTo(&file); err != nil { // readers would refuse it
			errs[i] = fmt.Errorf("%q: %w", entries[i].Name, err)
			return
		}
		out[i] = prepared{summarise(entries[i]), file.Bytes()}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// take appends an entry that is not there yet.
func (b *batch) take(w *Writer, p *prepared) {
	r := p.record
	if _, ok := w.known[r.key()]; ok {
		b.Known++
		return
	}
	if _, ok := b.known[r.key()]; ok {
		b.Known++
		return
	}
	b.details.Write(p.file)
	of, copied := w.first[r.root]
	if !copied {
		of, copied = b.first[r.root]
	}
	if copied && r.flags&flagComplete != 0 {
		b.Copies = append(b.Copies, Copy{r.name, of})
	}
	if !copied {
		b.first[r.root] = r.name
	}
	b.known[r.key()] = struct{}{}
	r.offset, r.size = b.end, int64(len(p.file))
	b.end += r.size
	b.fixed.Write(r.encode())
	b.records = append(b.records, r)
	b.New++
}

// key is what an entry must not share with another.
func (r *record) key() string { return string(r.root[:]) + r.name }

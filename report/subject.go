package report

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"sort"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
)

// maxRanges bounds the ranges that a report lists of a file.
const maxRanges = 64

// pin describes the input in the report. whole asks for digests of all values
// and files, files for those of the files only. known are digests of values that
// were taken already.
func (in Input) pin(ctx context.Context, whole, files bool, known map[*tensor.Tensor]*fingerprint.Digest) (Subject, error) {
	s := Subject{Ref: in.Ref, Format: in.Format, Header: fingerprint.Header(in.Model), BytesTotal: in.BytesTotal(), Files: []File{}, Declared: in.Declared}
	if parts := in.Checkpoints(); len(parts) > 0 {
		s.Layout = parts[0].Layout
	}
	for _, t := range in.Model.Tensors() {
		n, _ := tensor.Elements(t.Shape)
		s.Parameters += n
	}
	if whole {
		root, err := fingerprint.RootWith(ctx, in.Model, known)
		if err != nil {
			return s, err
		}
		s.Root = &root
	}
	for _, c := range in.Checkpoints() {
		s.Revision, s.Remote = cmp.Or(s.Revision, c.Revision), s.Remote || c.Remote()
		for _, f := range c.Files() {
			x, err := in.pinFile(ctx, f, whole, files)
			if err != nil {
				return s, err
			}
			s.Files = append(s.Files, x)
		}
	}
	return s, nil
}

// pinFile pins a file by the digests of all of it or, where they are not asked
// for, of the ranges that were compared. What was read of a checkpoint that had
// been compared before cannot be told apart from what was read now, and is left
// out. Bytes that are all read must be those that their store or hub names.
func (in Input) pinFile(ctx context.Context, f *formats.File, whole, files bool) (File, error) {
	x := File{Path: f.Path, Size: f.Size(), Ranges: [][2]int64{}, ETag: f.Identity.ETag, Named: f.Identity.SHA256}
	spans := f.Spans()
	switch {
	case whole:
		x.Ranges, x.RangesRead = [][2]int64{{0, f.Size()}}, 1
	case !in.used:
		x.Ranges, x.RangesRead = covering(spans, maxRanges), len(spans)
	}
	if whole || files {
		plain := sha256.New()
		d, err := fingerprint.Stored(ctx, f, f.Size(), plain)
		if err != nil {
			return x, err
		}
		x.Digest, x.SHA256 = &d, hex.EncodeToString(plain.Sum(nil))
		if x.Named != "" && x.Named != x.SHA256 {
			return x, tensor.Errorf(tensor.ErrFormat, f.Path, -1, "SHA-256", "the bytes give %s, the file is named %s", x.SHA256, x.Named)
		}
		return x, nil
	}
	if in.used {
		return x, nil
	}
	r := newExcerpt(f, spans)
	d, err := fingerprint.Stored(ctx, r, r.size)
	x.ReadDigest = &d
	return x, err
}

// covering joins neighbouring ranges, those with the smallest gaps first,
// until at most n are left.
func covering(spans [][2]int64, n int) [][2]int64 {
	if len(spans) <= n {
		return spans
	}
	gaps := make([]int64, len(spans)-1)
	for i := range gaps {
		gaps[i] = spans[i+1][0] - spans[i][1]
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	least := sorted[len(sorted)-n] // gaps above it stay open: fewer than n
	out := [][2]int64{spans[0]}
	for i, g := range gaps {
		if g > least {
			out = append(out, spans[i+1])
		} else {
			out[len(out)-1][1] = spans[i+1][1]
		}
	}
	return out
}

// excerpt reads ranges of a file one after the other, each behind its
// position as two little-endian 64-bit numbers.
type excerpt struct {
	file  io.ReaderAt
	spans [][2]int64
	start []int64 // of each range in the excerpt
	size  int64
}

const excerptHead = 16

func newExcerpt(f io.ReaderAt, spans [][2]int64) *excerpt {
	e := &excerpt{file: f, spans: spans}
	for _, s := range spans {
		e.start = append(e.start, e.size)
		e.size += excerptHead + s[1] - s[0]
	}
	return e
}

// ReadAt reads from the excerpt.
func (e *excerpt) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) && off < e.size {
		i := sort.Search(len(e.start), func(i int) bool { return e.start[i] > off }) - 1
		n, err := e.part(p[done:], i, off-e.start[i])
		done, off = done+n, off+int64(n)
		if err != nil {
			return done, err
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// part reads within one range, of which at bytes lie behind.
func (e *excerpt) part(p []byte, i int, at int64) (int, error) {
	s := e.spans[i]
	if at < excerptHead {
		var head [excerptHead]byte
		binary.LittleEndian.PutUint64(head[:8], uint64(s[0]))
		binary.LittleEndian.PutUint64(head[8:], uint64(s[1]))
		return copy(p, head[at:]), nil
	}
	from := s[0] + at - excerptHead
	n := int(min(int64(len(p)), s[1]-from))
	got, err := e.file.ReadAt(p[:n], from)
	if got == n {
		err = nil
	}
	return got, err
}

// Describe describes the input as reports do. files asks for digests of the whole
// files; without it only what was read is pinned.
func (in Input) Describe(ctx context.Context, files bool) (Subject, error) {
	return in.pin(ctx, false, files, nil)
}

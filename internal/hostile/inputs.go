package hostile

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Input is an arrangement of files that asks for far more than it should be
// given, and the command that is given it.
type Input struct {
	Name string
	Args []string // of weightprint; {dir} is where the files lie, {out} a folder for outputs
	Make func(dir string) error
}

// Inputs lists the hostile inputs: every one must be read or refused within the
// bound on memory. Long files are sparse: on most systems they take next to no
// space.
func Inputs() []Input {
	var all []Input
	for _, group := range [][]Input{ggufInputs(), safetensorsInputs(), modelInputs(), unlikeInputs(), besideInputs(), torchInputs(), formatInputs(), otherInputs()} {
		all = append(all, group...)
	}
	return all
}

var inspect = []string{"inspect", "{dir}", "--json"}

// on is a command line on the files.
func on(words string) []string { return strings.Fields(words) }

var le = binary.LittleEndian

// layer writes a file piece by piece; holes are sparse.
type layer struct {
	f   *os.File
	err error
	buf []byte
	at  int64
}

func create(dir, name string) *layer {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &layer{err: err}
	}
	f, err := os.Create(filepath.Join(dir, name))
	return &layer{f: f, err: err}
}

func (l *layer) flush() {
	if l.err == nil && len(l.buf) > 0 {
		_, l.err = l.f.WriteAt(l.buf, l.at)
	}
	l.at += int64(len(l.buf))
	l.buf = l.buf[:0]
}

func (l *layer) bytes(b []byte) *layer {
	if l.buf = append(l.buf, b...); len(l.buf) > 1<<20 {
		l.flush()
	}
	return l
}

func (l *layer) text(s string) *layer { return l.bytes([]byte(s)) }

func (l *layer) u32(v uint32) *layer { return l.bytes(le.AppendUint32(nil, v)) }

func (l *layer) u64(v uint64) *layer { return l.bytes(le.AppendUint64(nil, v)) }

// str is a string of GGUF.
func (l *layer) str(s string) *layer { return l.u64(uint64(len(s))).text(s) }

// hole is n zero bytes.
func (l *layer) hole(n int64) *layer {
	l.flush()
	l.at += n
	return l
}

// close cuts the file to what was written.
func (l *layer) close() error {
	l.flush()
	if l.f == nil {
		return l.err
	}
	if l.err == nil {
		l.err = l.f.Truncate(l.at)
	}
	if err := l.f.Close(); l.err == nil {
		l.err = err
	}
	return l.err
}

// safetensors writes a header, which data of a given length follows as a hole.
func safetensors(dir, name, header string, data int64) error {
	return create(dir, name).u64(uint64(len(header))).text(header).hole(data).close()
}

// entries is a header of tensors without values, as long as asked for.
func entries(n int, name func(i int) string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%s":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, name(i))
	}
	b.WriteByte('}')
	return b.String()
}

// repeated is a text that repeats one piece up to a length.
func repeated(piece string, length int) string { return strings.Repeat(piece, length/len(piece)) }

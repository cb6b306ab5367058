package demo

import (
	"bufio"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// File is one file of the models, by its path below their folder.
type File struct {
	Path  string
	Bytes []byte
}

// A pack is one deflate stream of files, each behind a line with its path, its size
// and the path of an earlier file of that size that it is kept as the difference to,
// "-" for none, or that it was quantised from, behind "q8_0:". The bytes at even places come before those at odd ones: the exponents
// of 16-bit numbers, side by side, take less room. Differences are those of numbers
// next to one another among all of 16 bits, in the order of the exponents of the earlier
// file, as training moves large numbers by fewer of these steps.

// Pack writes files, the differences to earlier ones where likes names one.
func Pack(w io.Writer, files []File, likes map[string]string) error {
	z, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		return err
	}
	known := map[string][]byte{}
	for _, f := range files {
		like := likes[f.Path]
		from, quantised := strings.CutPrefix(like, quantisedFrom)
		if like == "" || !quantised && len(known[like]) != len(f.Bytes) || quantised && known[from] == nil {
			like, quantised = "-", false
		}
		if _, err := fmt.Fprintf(z, "%s %d %s\n", f.Path, len(f.Bytes), like); err != nil {
			return err
		}
		kept := split(apart(f.Bytes, known[like]))
		if quantised {
			kept = asPlaces(f.Bytes, known[from])
		}
		if _, err := z.Write(kept); err != nil {
			return err
		}
		known[f.Path] = f.Bytes
	}
	return z.Close()
}

const (
	quantisedFrom = "q8_0:"
	mostBytes     = 16 << 20 // of a file of a pack
)

// Unpack reads the files of a pack.
func Unpack(r io.Reader) (files []File, err error) {
	z := bufio.NewReader(flate.NewReader(r))
	known := map[string][]byte{}
	for {
		line, err := z.ReadString('\n')
		if err == io.EOF && line == "" {
			return files, nil
		}
		var path, like string
		var size int
		if _, err := fmt.Sscanf(line, "%s %d %s\n", &path, &size, &like); err != nil || size < 0 || size > mostBytes {
			return nil, fmt.Errorf("demo: %.80q is no head of a file", line)
		}
		if known[path], err = unpacked(z, size, like, known); err != nil {
			return nil, fmt.Errorf("demo: %s: %w", path, err)
		}
		files = append(files, File{path, known[path]})
	}
}

// unpacked reads what is kept of a file, and makes the file of it.
func unpacked(r *bufio.Reader, size int, like string, known map[string][]byte) ([]byte, error) {
	if from, ok := strings.CutPrefix(like, quantisedFrom); ok {
		return fromPlaces(r, size, known[from])
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if like != "-" && len(known[like]) != size {
		return nil, fmt.Errorf("it differs from %s, which is not there", like)
	}
	return together(join(b), known[like]), nil
}

// apart is the difference of a file to another, itself where there is none.
func apart(b, like []byte) []byte {
	if len(like) == 0 {
		return b
	}
	out := append([]byte(nil), b...)
	for to, from := range byExponent(like) {
		d := int16(word(b, from) - word(like, from))
		putWord(out, to, uint16(d<<1^d>>15)) // small ones of either sign are small
	}
	return out
}

// together undoes apart.
func together(d, like []byte) []byte {
	if len(like) == 0 {
		return d
	}
	out := append([]byte(nil), d...)
	for from, to := range byExponent(like) {
		x := word(d, from)
		putWord(out, to, word(like, to)+(x>>1^-(x&1)))
	}
	return out
}

// byExponent lists the places of the 16-bit numbers of a file, those of small bfloat16
// exponents first.
func byExponent(b []byte) []int {
	order := make([]int, len(b)/2)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(word(b, i)&0x7f80, word(b, j)&0x7f80) })
	return order
}

func word(b []byte, i int) uint16 { return binary.LittleEndian.Uint16(b[2*i:]) }

func putWord(b []byte, i int, x uint16) { binary.LittleEndian.PutUint16(b[2*i:], x) }

// split puts the bytes at even places before those at odd ones.
func split(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for first := range 2 {
		for i := first; i < len(b); i += 2 {
			out = append(out, b[i])
		}
	}
	return out
}

// join undoes split.
func join(b []byte) []byte {
	out := make([]byte, len(b))
	half := (len(b) + 1) / 2
	for i := range out {
		out[i] = b[i/2+i%2*half]
	}
	return out
}

package index

import (
	"errors"
	"fmt"
	"io"
)

// ErrLost marks signs that the last commit was lost: it is not among the entries.
var ErrLost = errors.New("the last commit may be lost")

// commits is what the two slots of a header say.
type commits struct {
	damaged []int64 // offsets of slots that are neither valid nor zeros
	valid   int
	behind  int64 // whole records that lie behind those of the latest commit
}

// Lost lists signs that a commit was lost: a slot of the header that cannot be read,
// and records behind the commit beside a slot that is not valid. A writer at work
// leaves no such signs, one that was killed may.
func (x *Index) Lost() ([]error, error) {
	s, err := x.commits()
	if err != nil {
		return nil, err
	}
	out := x.slotsLost(s)
	if s.behind > 0 && s.valid < 2 && x.seq > nothing.seq {
		out = append(out, x.behindLost(s))
	}
	return out, nil
}

// CheckHeader is Lost and any record behind the commit, looked at while no writer is
// at work.
func (x *Index) CheckHeader() ([]error, error) {
	s, err := x.commits()
	if err != nil || len(s.damaged) == 0 && s.behind == 0 {
		return nil, err
	}
	if unlock, err := x.f.lock(); err == nil { // where files cannot be locked it is looked at as it is
		s, err = x.commits()
		if err = errors.Join(err, unlock()); err != nil {
			return nil, err
		}
	}
	out := x.slotsLost(s)
	if s.behind > 0 {
		out = append(out, x.behindLost(s))
	}
	return out, nil
}

func (x *Index) slotsLost(s commits) (out []error) {
	for _, at := range s.damaged {
		out = append(out, fmt.Errorf("%s: offset %d: %w: this copy of the header cannot be read; if it was the later one, %w: add again what is missing", x.path, at, ErrCorrupt, ErrLost))
	}
	return out
}

func (x *Index) behindLost(s commits) error {
	return fmt.Errorf("%s: %d records lie behind the last commit that can be read: a writer was stopped, or %w: add again what is missing", x.path, s.behind, ErrLost)
}

// commits reads the header anew.
func (x *Index) commits() (s commits, err error) {
	h, err := readHeader(x.path, x.f)
	if err != nil {
		return s, err
	}
	size, err := x.f.size()
	if err != nil {
		return s, err
	}
	var b [headerBytes]byte
	if _, err := x.f.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return s, err
	}
	for at := 0; at < headerBytes; at += slotBytes {
		slot := b[at : at+slotBytes]
		switch _, ok := readSlot(slot); {
		case ok:
			s.valid++
		case [slotBytes]byte(slot) != [slotBytes]byte{}:
			s.damaged = append(s.damaged, int64(at))
		}
	}
	s.behind = max(0, (size-headerBytes)/recordBytes-h.count)
	return s, nil
}

package torch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Limits of the machine.
const (
	maxSpent    = 96 << 20 // bytes allocated for values, some 80,000 tensors
	maxMemo     = 1 << 20  // numbers that values are kept under; writers count from 0
	maxKept     = 64 << 10 // longer texts are passed over
	maxLine     = 256      // of either half of a GLOBAL's name
	checkPeriod = 1 << 14  // instructions between looks at the context
)

// ErrGlobal says that a pickle names something outside the short list of what
// checkpoints are made of. It is a tensor.ErrUnsupported.
var ErrGlobal = fmt.Errorf("%w: a name outside the list", tensor.ErrUnsupported)

// machine runs one pickle.
type machine struct {
	file  string
	what  string // which of the file's pickles
	base  int64  // offset of the pickle in the file; -1 where it is deflated
	outer int64  // offset of that file in the one that it is an entry of
	c     *saferio.Cursor
	at    int64  // of the instruction under way
	op    string // its name
	stack []value
	marks []int
	memo  []value // by number; unset where nothing was kept
	kepts int     // how many are kept
	spent int64
	open  func(m *machine, id value) (value, error) // makes what a persistent id stands for
	done  bool
	names []string // of classes and functions that were not looked up, in the order met
}

// fail reports the instruction under way.
func (m *machine) fail(class error, rule string, args ...any) error {
	at, field := m.base+m.at, m.what+" "+m.op
	if m.base < 0 {
		at, field = -1, fmt.Sprintf("%s (inflated) offset %d %s", m.what, m.at, m.op)
	}
	return tensor.Errorf(class, m.file, at, field, rule, args...)
}

func (m *machine) broken(rule string, args ...any) error {
	return m.fail(tensor.ErrFormat, rule, args...)
}

// run executes the pickle up to STOP and returns what it leaves.
func (m *machine) run(ctx context.Context) (value, error) {
	for n := 0; !m.done; n++ {
		if n%checkPeriod == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		m.at, m.op = m.c.Offset(), "instruction"
		b, err := m.take(1)
		if err != nil {
			return nil, err
		}
		o := &instructions[b[0]]
		if m.op = o.name; m.op == "" {
			m.op = fmt.Sprintf("instruction 0x%02x", b[0])
		}
		if o.do == nil {
			return nil, m.fail(tensor.ErrUnsupported, "the instruction is none of those a checkpoint needs; nothing was run")
		}
		if err := o.do(m); err != nil {
			return nil, err
		}
	}
	if len(m.stack) != 1 || len(m.marks) > 0 {
		return nil, m.broken("one value is left at the end, found %d and %d marks", len(m.stack), len(m.marks))
	}
	return m.stack[0], nil
}

// take returns the next n bytes of the pickle, valid until the next call.
func (m *machine) take(n uint64) ([]byte, error) {
	b, err := m.c.Next(n)
	if err != nil {
		return nil, m.cut(err)
	}
	return b, nil
}

func (m *machine) cut(err error) error {
	var known *tensor.FormatError
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return m.fail(err, "%v", err)
	}
	return m.fail(err, "reading: %v", err)
}

// charge accounts for memory before it is allocated.
func (m *machine) charge(n int64) error {
	if m.spent += n; m.spent > maxSpent {
		return m.fail(tensor.ErrLimit, "the pickle builds more than %d MiB of values", maxSpent>>20)
	}
	return nil
}

// grown returns a slice with room for n more items, which it is charged for.
func grown[T any](m *machine, s []T, n int, size int64) ([]T, error) {
	if len(s)+n <= cap(s) {
		return s, nil
	}
	room := max(2*cap(s), len(s)+n)
	if err := m.charge(int64(room) * size); err != nil {
		return nil, err
	}
	return append(make([]T, 0, room), s...), nil
}

func (m *machine) push(v value) error {
	s, err := grown(m, m.stack, 1, slotBytes)
	if err != nil {
		return err
	}
	m.stack = append(s, v)
	return nil
}

// pushNew pushes an object of a given size.
func (m *machine) pushNew(v value, size int64) error {
	if err := m.charge(size); err != nil {
		return err
	}
	return m.push(v)
}

// floor is where the values above the last mark begin.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// pop takes n values that stand above the last mark.
func (m *machine) pop(n int) ([]value, error) {
	at := len(m.stack) - n
	if at < m.floor() {
		return nil, m.broken("the stack holds %d values, %d are needed", len(m.stack)-m.floor(), n)
	}
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) pop1() (value, error) {
	items, err := m.pop(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popMark takes all values above the last mark, and the mark.
func (m *machine) popMark() ([]value, error) {
	if len(m.marks) == 0 {
		return nil, m.broken("no mark stands on the stack")
	}
	items := m.stack[m.floor():]
	m.stack = m.stack[:m.floor()]
	m.marks = m.marks[:len(m.marks)-1]
	return items, nil
}

// drop takes a value, or the mark where it lies on top.
func (m *machine) drop() error {
	if len(m.marks) > 0 && len(m.stack) == m.floor() {
		m.marks = m.marks[:len(m.marks)-1]
		return nil
	}
	_, err := m.pop(1)
	return err
}

// top is the value that an instruction changes in place.
func (m *machine) top() (value, error) {
	if len(m.stack) <= m.floor() {
		return nil, m.broken("the stack is empty")
	}
	return m.stack[len(m.stack)-1], nil
}

// popTop takes the instruction's arguments, all above the mark or a fixed
// number, and returns them with the value below, which stays.
func (m *machine) popTop(n int) (items []value, onto value, err error) {
	if n < 0 {
		items, err = m.popMark()
	} else {
		items, err = m.pop(n)
	}
	if err == nil {
		onto, err = m.top()
	}
	return items, onto, err
}

// text reads a string of n bytes. Long ones are passed over: they are no
// names.
func (m *machine) text(n uint64) error {
	if n > maxKept {
		if err := m.c.Skip(n); err != nil {
			return m.cut(err)
		}
		return m.pushNew(&inert{"a long text"}, objectBytes)
	}
	b, err := m.take(n)
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		if m.op == "SHORT_BINSTRING" || m.op == "BINSTRING" { // Python 2 wrote bytes so
			return m.pushNew(&inert{"bytes"}, objectBytes)
		}
		return m.broken("the text is not UTF-8")
	}
	return m.pushNew(string(b), slotBytes+int64(n))
}

// bytes passes over n bytes that are no text.
func (m *machine) bytes(n uint64) error {
	if err := m.c.Skip(n); err != nil {
		return m.cut(err)
	}
	return m.pushNew(&inert{"bytes"}, objectBytes)
}

// number reads an unsigned integer of up to eight bytes.
func (m *machine) number(n int) (uint64, error) {
	b, err := m.take(uint64(n))
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

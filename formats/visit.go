package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// visitor walks through a JSON text token by token and keeps nothing of it.
type visitor struct{ d *json.Decoder }

func newVisitor(ctx context.Context, b []byte) visitor {
	v := visitor{json.NewDecoder(&patient{ctx, bytes.NewReader(b)})}
	v.d.UseNumber()
	return v
}

// patient reads until the caller gives up.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b[:min(len(b), 64<<10)])
}

// object calls f for each member of an object, with the visitor at its value.
func (v visitor) object(f func(key string) error) error {
	return v.within('{', func(int) error {
		t, err := v.d.Token()
		if err != nil {
			return err
		}
		return f(t.(string)) // the decoder gives no other token here
	})
}

// list calls f for each element of a list.
func (v visitor) list(f func(i int) error) error { return v.within('[', f) }

func (v visitor) within(begin json.Delim, f func(i int) error) error {
	t, err := v.d.Token()
	if err != nil {
		return err
	}
	if t != begin {
		return fmt.Errorf("%w: %q expected at offset %d", tensor.ErrFormat, rune(begin), v.d.InputOffset())
	}
	for i := 0; v.d.More(); i++ {
		if err := f(i); err != nil {
			return err
		}
	}
	_, err = v.d.Token()
	return err
}

// skip passes over a value.
func (v visitor) skip() error {
	for level := 0; ; {
		t, err := v.d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			level++
		case json.Delim('}'), json.Delim(']'):
			level--
		}
		if level == 0 {
			return nil
		}
	}
}

// vocabulary reads an object from string to number, or a list of lists that
// begin with a string.
func (v visitor) vocabulary(t *tokenTable) error {
	first, err := v.d.Token()
	if err != nil {
		return err
	}
	set := v.numbered
	switch first {
	case json.Delim('{'):
	case json.Delim('['):
		set = v.scored
	default:
		return fmt.Errorf("%w: the vocabulary is neither an object nor a list", tensor.ErrFormat)
	}
	for n := 0; v.d.More(); n++ {
		if n == maxTokens {
			return errTokens
		}
		if err := set(t, n); err != nil {
			return err
		}
	}
	_, err = v.d.Token()
	return err
}

// numbered reads a string and its number.
func (v visitor) numbered(t *tokenTable, _ int) error {
	key, err := v.d.Token()
	if err != nil {
		return err
	}
	var id int
	if err := v.d.Decode(&id); err != nil {
		return err
	}
	t.set(id, key.(string))
	return nil
}

// scored reads a list that begins with a string.
func (v visitor) scored(t *tokenTable, n int) error {
	return v.list(func(i int) error {
		if i > 0 {
			return v.skip()
		}
		x, err := v.d.Token()
		s, ok := x.(string)
		if err == nil && !ok {
			err = fmt.Errorf("%w: entry %d of the vocabulary", tensor.ErrFormat, n)
		}
		t.set(n, s)
		return err
	})
}

package equality

import (
	"context"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// What is seen of a tensor is the same whatever it is held against, so who compares many
// models with each other has each read once.

// Lasting is a model that is made anew for each comparison, of tensors that last.
type Lasting interface {
	// Original is the tensor that lasts, of the same name, type, shape and values; nil
	// where there is none.
	Original(*tensor.Tensor) *tensor.Tensor
}

// kept holds what was seen of tensors.
type kept struct{ seen sync.Map } // of seenAs, to *seen

// seenAs is a tensor that lasts and the grains that it was marked at, which depend on both models.
type seenAs struct {
	t    *tensor.Tensor
	half [grains]bool
}

type seen struct {
	marked
	marks [grains]mark
}

type keeping struct{}

// Keeping returns a context under which Match reads a tensor of a Lasting model once for
// all calls. What is kept, some hundred bytes a tensor, lives as long as the context; the
// tensors must not change under it.
func Keeping(ctx context.Context) context.Context {
	return context.WithValue(ctx, keeping{}, &kept{})
}

// once marks a tensor of a model, or takes what was seen of it before.
func (r *reader) once(ctx context.Context, m tensor.Model, t *tensor.Tensor) (marked, [grains]mark, error) {
	k, _ := ctx.Value(keeping{}).(*kept)
	lasting, _ := m.(Lasting)
	if k == nil || lasting == nil || lasting.Original(t) == nil {
		return r.read(ctx, t)
	}
	as := seenAs{lasting.Original(t), r.half}
	if x, ok := k.seen.Load(as); ok {
		s := *x.(*seen)
		s.t = t
		return s.marked, s.marks, nil
	}
	x, marks, err := r.read(ctx, t)
	if err == nil {
		s := &seen{x, marks}
		s.t = nil // it holds the rows of its comparison
		k.seen.Store(as, s)
	}
	return x, marks, err
}

// Package plan says what a comparison, a fingerprint or the decoding of one
// tensor would read, without reading values.
package plan

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
)

// Schema names the JSON form of a Plan.
const Schema = "weightprint.plan/1"

// Plan is what would be read, and what reading the headers has cost already.
type Plan struct {
	Schema   string        `json:"schema"`
	Budget   *report.Bytes `json:"budget,omitempty"` // of each subject; absent where there is none
	Subjects []Subject     `json:"subjects"`
}

// Subject is what would be read of one subject.
type Subject struct {
	Ref        string   `json:"ref"`
	Format     string   `json:"format"`
	Revision   string   `json:"revision,omitempty"`
	Remote     bool     `json:"remote"`
	BytesTotal int64    `json:"bytesTotal"`
	BytesRead  int64    `json:"bytesRead"`  // by opening it
	BytesFirst int64    `json:"bytesFirst"` // of values, that would be read first
	BytesMost  int64    `json:"bytesMost"`  // that would be read in all, at most
	Files      []File   `json:"files"`
	Tensors    []Tensor `json:"tensors"`
}

// File is a file with what would be read of it.
type File struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"`
	Tensors int    `json:"tensors"` // of which something would be read
	Bytes   int64  `json:"bytes"`
}

// Tensor is a tensor with what would be read of it.
type Tensor struct {
	Name  string `json:"name"`
	File  string `json:"file,omitempty"`
	Bytes int64  `json:"bytes"`
}

// Compare says what a comparison would read, without reading values.
func Compare(_ context.Context, a, b report.Input, o *report.Options) (*Plan, error) {
	r, err := report.PlanReading(a, b, o)
	if err != nil {
		return nil, err
	}
	budget := r.Options.Budget
	p := &Plan{Schema: Schema, Budget: &budget}
	for i, in := range r.Inputs {
		reads := r.First[i]
		if r.Whole {
			reads = everything(in.Model)
		}
		s := planned(in, reads)
		if s.BytesMost = s.BytesFirst; !r.Whole && r.Options.Depth != report.Quick {
			s.BytesMost = min(max(int64(budget), s.BytesFirst), s.BytesTotal)
		}
		p.Subjects = append(p.Subjects, s)
	}
	return p, nil
}

// Fingerprint says what fingerprinting would read.
func Fingerprint(in report.Input, o *fingerprint.Options) *Plan {
	reads := everything(in.Model)
	if o != nil && o.SketchOnly {
		reads = fingerprint.Sketched(in.Model)
	}
	return &Plan{Schema: Schema, Subjects: []Subject{planned(in, reads).settled()}}
}

// Decoding says what decoding one tensor would read; nil stands for none.
func Decoding(in report.Input, t *tensor.Tensor) *Plan {
	reads := map[*tensor.Tensor]int64{}
	if t != nil {
		reads[t] = t.StoredBytes()
	}
	return &Plan{Schema: Schema, Subjects: []Subject{planned(in, reads).settled()}}
}

// settled is a plan of one step.
func (s Subject) settled() Subject {
	s.BytesMost = s.BytesFirst
	return s
}

// planned lists what would be read of an input, tensor by tensor and file by
// file.
func planned(in report.Input, reads map[*tensor.Tensor]int64) Subject {
	s := Subject{Ref: in.Ref, Format: in.Format, BytesTotal: in.BytesTotal(), BytesRead: in.BytesRead(), Files: []File{}, Tensors: []Tensor{}}
	index := map[*formats.File]int{}
	for _, c := range in.Checkpoints() {
		s.Revision, s.Remote = c.Revision, s.Remote || c.Remote()
		for _, f := range c.Files() {
			index[f] = len(s.Files)
			s.Files = append(s.Files, File{Path: f.Path, Size: f.Size()})
		}
	}
	for _, t := range in.Model.Tensors() {
		n, ok := reads[t]
		if !ok {
			continue
		}
		x := Tensor{Name: t.Name, Bytes: min(n, t.StoredBytes())}
		if i, ok := index[formats.FileOf(t)]; ok {
			f := &s.Files[i]
			f.Tensors, f.Bytes, x.File = f.Tensors+1, f.Bytes+x.Bytes, f.Path
		}
		s.BytesFirst += x.Bytes
		s.Tensors = append(s.Tensors, x)
	}
	return s
}

// WriteJSON writes the plan.
func (p *Plan) WriteJSON(w io.Writer) error {
	return escape.WriteJSON(w, p)
}

// WriteText writes the plan for people, the files of which most is read first.
func (p *Plan) WriteText(w io.Writer) error {
	t := &columns.Text{}
	for _, s := range p.Subjects {
		t.Line("%s", escape.Printable(s.Ref))
		where := "on this machine"
		if s.Remote {
			where = "on a server"
		}
		t.Line("   %s, %s, %s; reading the headers took %s", s.Format, where, columns.Size(s.BytesTotal), columns.Size(s.BytesRead))
		t.Line("   %s", s.words())
		files := slices.Clone(s.Files)
		slices.SortStableFunc(files, func(a, b File) int { return int(min(1, max(-1, b.Bytes-a.Bytes))) })
		for _, f := range files {
			t.Line("   %10s of %-10s %5d tensors  %s", columns.Size(f.Bytes), columns.Size(f.Size), f.Tensors, escape.Printable(f.Path))
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// words says what would be read.
func (s Subject) words() string {
	switch {
	case len(s.Tensors) == 0:
		return "would read nothing besides"
	case s.BytesMost <= s.BytesFirst:
		return fmt.Sprintf("would read %s of %d tensors", columns.Size(s.BytesFirst), len(s.Tensors))
	}
	return fmt.Sprintf("would first read %s of %d tensors, and up to %s in all", columns.Size(s.BytesFirst), len(s.Tensors), columns.Size(s.BytesMost))
}

// everything is the stored bytes of each tensor of a model.
func everything(m tensor.Model) map[*tensor.Tensor]int64 {
	reads := map[*tensor.Tensor]int64{}
	for _, t := range m.Tensors() {
		reads[t] = t.StoredBytes()
	}
	return reads
}

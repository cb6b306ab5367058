package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/plan"
)

type inspectFlags struct {
	json, unknown        bool
	dry                  bool
	tensor, values, file string
}

func inspectCommand() *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "list the tensors of a checkpoint and the roles they play",
		Example: `  weightprint inspect model/
  weightprint inspect model.gguf --json
  weightprint inspect model.gguf --tensor blk.0.attn_q.weight --values q.f32`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return inspect(c, a[0], f) },
	}
	fl := c.Flags()
	fl.BoolVar(&f.json, "json", false, "print JSON")
	fl.StringVarP(&f.file, "output", "o", "", "write the listing to a file")
	fl.StringVar(&f.tensor, "tensor", "", "with --values: the tensor to decode")
	fl.StringVar(&f.values, "values", "", "write the tensor's values as little-endian float32, row by row")
	fl.BoolVar(&f.unknown, "allow-unknown-types", false, "list GGUF files that hold tensors of unknown type")
	fl.BoolVar(&f.dry, "dry-run", false, "print what would be read besides headers (files, tensors, bytes)")
	c.MarkFlagsRequiredTogether("tensor", "values")
	return c
}

func inspect(c *cobra.Command, ref string, f inspectFlags) error {
	if f.values != "" && f.file != "" {
		return usageError{errors.New("inspect: --values writes a tensor and -o a listing; give one of them")}
	}
	file, ours := f.file, isResult
	if f.values != "" && !f.dry {
		file, ours = f.values, nil // decoded values look like nothing in particular
	}
	to, err := destine(c, []string{ref}, file, ours)
	if err != nil {
		return err
	}
	if isPrint(ref) {
		return inspectPrint(ref, f, to)
	}
	ctx := c.Context()
	m, err := openModel(ctx, ref, &formats.Options{UnknownTypes: f.unknown})
	if err != nil {
		return err
	}
	defer m.Close()
	var t *tensor.Tensor
	if f.tensor != "" {
		var ok bool
		if t, ok = m.Tensor(f.tensor); !ok {
			return fmt.Errorf("%s: no tensor is called %s", escape.Printable(ref), escape.Printable(f.tensor))
		}
	}
	if f.dry {
		return to.write(planned(plan.Decoding(report.Headers(m), t), f.json))
	}
	if t != nil {
		return to.write(func(w io.Writer) error { return writeValues(ctx, w, t) })
	}
	l := listing(m)
	return to.write(func(w io.Writer) error {
		if !f.json {
			return l.text(w)
		}
		return escape.WriteJSON(w, l)
	})
}

// writeValues decodes a tensor into little-endian float32.
func writeValues(ctx context.Context, w io.Writer, t *tensor.Tensor) error {
	b := bufio.NewWriterSize(w, 1<<20)
	for part, err := range t.Chunks(ctx, make([]float32, 1<<16)) {
		if err != nil {
			return err
		}
		for _, v := range part {
			var word [4]byte
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			b.Write(word[:]) // an error stays in b until Flush
		}
	}
	return b.Flush()
}

// model is what inspect prints.
type model struct {
	Schema     string           `json:"schema"`
	Ref        string           `json:"ref"`
	Format     string           `json:"format"`
	Layout     string           `json:"layout,omitempty"`
	Revision   string           `json:"revision,omitempty"`
	Family     string           `json:"family"`
	Parameters int64            `json:"parameters"`
	Bytes      int64            `json:"bytes"`
	Files      []file           `json:"files"`
	Parents    []string         `json:"declaredParents"`
	Declared   []formats.Parent `json:"parents"` // the same with what declares them
	Adapter    *adapter         `json:"adapter,omitempty"`
	Towers     []tower          `json:"towers"`
	Tensors    []listedTensor   `json:"tensors"`
	Warnings   []string         `json:"warnings"`
}

type file struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	ETag   string `json:"etag,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // as the hub or the local store names the file
}

type tower struct {
	Name    string `json:"name"`
	Layers  int    `json:"layers"`
	Hidden  int    `json:"hidden"`
	Heads   int    `json:"heads"`
	KVHeads int    `json:"kvHeads"`
	HeadDim int    `json:"headDim"`
}

type listedTensor struct {
	Name  string       `json:"name"`
	Role  string       `json:"role"`
	DType tensor.DType `json:"dtype"`
	Shape []int64      `json:"shape"`
	Bytes int64        `json:"bytes"`
	// Packing says how a matrix is made of several stored tensors.
	Packing string `json:"packing,omitempty"`
}

// packing describes a packed tensor, "" for others.
func packing(t *tensor.Tensor) string {
	if d, ok := t.Data.(fmt.Stringer); ok {
		return d.String()
	}
	return ""
}

// listing collects what inspect prints.
func listing(m *formats.Checkpoint) *model {
	net := roles.Map(m)
	l := &model{Schema: "weightprint.inspect/1", Ref: m.Ref, Format: m.Format, Layout: m.Layout, Revision: m.Revision, Family: net.Family, Bytes: m.BytesTotal(),
		Files: []file{}, Parents: append([]string{}, m.DeclaredParents()...), Declared: append([]formats.Parent{}, m.Parents()...), Towers: []tower{}, Tensors: []listedTensor{}, Warnings: append(append([]string{}, m.Warnings...), net.Warnings...)}
	for _, f := range m.Files() {
		l.Files = append(l.Files, file{f.Path, f.Size(), f.Identity.ETag, f.Identity.SHA256})
	}
	for _, t := range net.Towers {
		l.Towers = append(l.Towers, tower{t.Name, len(t.Layers), t.Hidden, t.Heads, t.KVHeads, t.HeadDim})
	}
	l.Adapter = adapterOf(m)
	role := map[*tensor.Tensor]string{}
	for _, a := range net.Roles {
		role[a.Tensor] = a.Role
	}
	for _, t := range m.Tensors() {
		n, _ := tensor.Elements(t.Shape)
		l.Parameters += n
		l.Tensors = append(l.Tensors, listedTensor{t.Name, role[t], t.DType, t.Shape, t.StoredBytes(), packing(t)})
	}
	return l
}

// parentText puts a declared parent into a line.
func parentText(p formats.Parent) string {
	words := []string{p.Name + " (" + p.Source}
	for _, s := range []string{p.Relation, p.Version, p.URL} {
		if s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, ", ") + ")"
}

// text prints the listing for people.
func (l *model) text(w io.Writer) error {
	b := bufio.NewWriter(w)
	format := l.Format
	if l.Layout != "" {
		format += " (" + l.Layout + ")"
	}
	fmt.Fprintf(b, "%s\n%s, family %s, %d parameters in %d tensors, %d bytes\n", escape.Printable(l.Ref), format, escape.Printable(l.Family), l.Parameters, len(l.Tensors), l.Bytes)
	if l.Revision != "" {
		fmt.Fprintf(b, "revision %s\n", escape.Printable(l.Revision))
	}
	for _, t := range l.Towers {
		fmt.Fprintf(b, "tower %s: %d layers, hidden %d, heads %d, KV heads %d, head size %d\n", escape.Printable(t.Name), t.Layers, t.Hidden, t.Heads, t.KVHeads, t.HeadDim)
	}
	for _, p := range l.Declared {
		fmt.Fprintf(b, "declared parent: %s\n", escape.Printable(parentText(p)))
	}
	l.Adapter.text(b)
	for _, s := range l.Warnings {
		fmt.Fprintf(b, "warning: %s\n", escape.Printable(s))
	}
	wide := 0
	for _, t := range l.Tensors {
		wide = max(wide, len(escape.Printable(t.Name)))
	}
	for _, t := range l.Tensors {
		line := fmt.Sprintf("%-*s  %-28s %-8v %-14s %s", wide, escape.Printable(t.Name), escape.Printable(t.Role), t.DType, fmt.Sprint(t.Shape), t.Packing)
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
	return b.Flush()
}

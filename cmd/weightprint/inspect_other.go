package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/internal/escape"
)

// adapter is what inspect says of a LoRA adapter.
type adapter struct {
	Rank    int      `json:"rank"`
	Alpha   float64  `json:"alpha"`
	Targets []string `json:"targets"` // kinds of matrices that are adapted
}

// adapterOf describes a LoRA adapter, nil for other models.
func adapterOf(m *formats.Checkpoint) *adapter {
	if !packed.IsAdapter(m) {
		return nil
	}
	a := &adapter{Targets: []string{}}
	a.Rank, _ = m.Metadata().Int("adapter.r")
	switch v := m.Metadata()["adapter.lora_alpha"].(type) {
	case int64:
		a.Alpha = float64(v)
	case float64:
		a.Alpha = v
	}
	for _, t := range m.Tensors() {
		module, _, _ := strings.Cut(t.Name, ".lora_")
		kind := module[strings.LastIndexByte(module, '.')+1:]
		if !slices.Contains(a.Targets, kind) {
			a.Targets = append(a.Targets, kind)
		}
	}
	slices.Sort(a.Targets)
	return a
}

func (a *adapter) text(w io.Writer) {
	if a != nil {
		fmt.Fprintf(w, "LoRA adapter: rank %d, alpha %g, on %s\n", a.Rank, a.Alpha, escape.Printable(strings.Join(a.Targets, ", ")))
	}
}

// listedPrint is what inspect prints of a fingerprint file.
type listedPrint struct {
	Schema     string              `json:"schema"`
	Ref        string              `json:"ref"`
	Complete   bool                `json:"complete"`
	Root       *fingerprint.Digest `json:"root"`
	RoleRoot   *fingerprint.Digest `json:"roleRoot"`
	Stored     *fingerprint.Digest `json:"stored"` // null where the stored bytes were not at hand
	Header     fingerprint.Digest  `json:"header"`
	Parameters int64               `json:"parameters"`
	Tensors    []string            `json:"tensors"`
	Kinds      []listedKind        `json:"kinds"`
	Sketches   []string            `json:"sketches"`
	Probes     []string            `json:"probes"`
	Version    int                 `json:"version"` // of the file
	Tokens     int                 `json:"tokens"`  // little-used ones that are sketched
}

// listedKind is what inspect prints of the matrices of one kind.
type listedKind struct {
	Kind      string    `json:"kind"`
	Tensors   int       `json:"tensors"`
	Mean      float64   `json:"mean"`
	Square    float64   `json:"meanSquare"`
	Fourth    float64   `json:"meanFourthPower"`
	Quantiles []float32 `json:"quantiles"` // at 0, ⅛, … 1, rounded towards zero to bfloat16
}

// inspectPrint lists a fingerprint file.
func inspectPrint(ref string, o inspectFlags, to *destination) error {
	if o.tensor != "" || o.dry {
		return usageError{errors.New("inspect: a fingerprint holds no values; --tensor, --values and --dry-run take a model")}
	}
	f, err := readPrint(ref)
	if err != nil {
		return err
	}
	l := listedPrint{Schema: "weightprint.inspect/1", Ref: ref, Complete: f.Complete, Header: f.Header, Parameters: f.Parameters, Tensors: []string{}, Kinds: []listedKind{}, Sketches: []string{}, Probes: []string{}, Version: f.Version}
	if f.Tokens != nil {
		l.Tokens = len(f.Tokens.Rows)
	}
	if f.Complete {
		l.Root, l.RoleRoot = &f.Root, &f.RoleRoot
		if f.Stored != (fingerprint.Digest{}) {
			l.Stored = &f.Stored
		}
	}
	for _, k := range f.Kinds {
		x := listedKind{Kind: k.Kind, Tensors: k.Tensors, Mean: k.Stats.Moments[0], Square: k.Stats.Moments[1], Fourth: k.Stats.Moments[2]}
		for _, q := range k.Stats.Quantiles {
			x.Quantiles = append(x.Quantiles, fingerprint.Half(q))
		}
		l.Kinds = append(l.Kinds, x)
	}
	for _, p := range f.Probes {
		l.Probes = append(l.Probes, fmt.Sprintf("%s: units of %d tokens among %d", p.Axis, len(p.Units), p.Length))
	}
	for _, t := range f.Tensors {
		l.Tensors = append(l.Tensors, t.Name)
	}
	for _, s := range f.Sketches {
		l.Sketches = append(l.Sketches, fmt.Sprintf("%s: %d of %d units", s.Axis, len(s.Units), s.Length))
	}
	return to.write(func(w io.Writer) error {
		if o.json {
			return escape.WriteJSON(w, l)
		}
		return l.text(w, f.Tokens)
	})
}

// text prints the listing for people.
func (l *listedPrint) text(out io.Writer, tokens *fingerprint.Tokens) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s\nfingerprint of %d parameters, version %d\nheader %s\n", escape.Printable(l.Ref), l.Parameters, l.Version, l.Header)
	if l.Root != nil {
		fmt.Fprintf(w, "root   %s, over %d tensors\nroles  %s\n", l.Root, len(l.Tensors), l.RoleRoot)
	} else {
		fmt.Fprintln(w, "no digest of the values: only sketched units were read")
	}
	for _, s := range l.Sketches {
		fmt.Fprintf(w, "sketch %s\n", escape.Printable(s))
	}
	for _, p := range l.Probes {
		fmt.Fprintf(w, "probed %s\n", escape.Printable(p))
	}
	if l.Tokens > 0 {
		fmt.Fprintf(w, "tokens signs of products among %d little-used tokens of %d\n", l.Tokens, tokens.Vocabulary)
	}
	return w.Flush()
}

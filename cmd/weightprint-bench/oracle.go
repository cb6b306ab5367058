package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
)

//go:embed oracle/read.py
var oracleScript string

// oracles are the readers that have a library of their own in Python.
var oracles = map[string]opens{
	"safetensors": func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return safetensors.Read(ctx, mutantName, r, n, nil)
	},
	"gguf": func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return gguf.Read(ctx, mutantName, r, n)
	},
	"torch": func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return torch.Read(ctx, mutantName, r, n, nil)
	},
}

func oracleCommand() *cobra.Command {
	var module, python, only string
	var seed uint64
	var n int64
	c := &cobra.Command{
		Use:   "oracle",
		Short: "hold what the readers say of mutants against the libraries in Python",
		Long: `oracle gives the first mutants of a campaign to the readers of safetensors, GGUF
and PyTorch files and to the libraries of the same formats in Python, where they are
installed. What both accept must hold the same tensors with the same values; what the
library refuses and the reader accepts is counted by the library's reason.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintf(c.OutOrStdout(), "| format | mutants | read by both, equal | differ | refused by both | only by the reader | only by the library |\n|---|---:|---:|---:|---:|---:|---:|\n")
			differ := int64(0)
			for _, name := range []string{"safetensors", "gguf", "torch"} {
				if !strings.Contains(name, only) {
					continue
				}
				t, err := holdAgainst(c.Context(), module, python, name, seed, n)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				t.print(c.OutOrStdout(), name, n)
				differ += t.differ
			}
			if differ > 0 {
				return fmt.Errorf("%d mutants are read otherwise", differ)
			}
			return nil
		},
	}
	c.Flags().StringVar(&module, "module", ".", "the folder of the module's source")
	c.Flags().StringVar(&python, "python", "python3", "a Python that has safetensors, gguf and torch")
	c.Flags().StringVar(&only, "only", "", "formats whose name holds this")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the mutators")
	c.Flags().Int64Var(&n, "executions", 10_000, "mutants a format")
	return c
}

// answer is what a library says of a file.
type answer struct {
	Refused string  `json:"refused"`
	Tensors [][]any `json:"tensors"` // name, shape, digest of the values
}

// agreed is how often reader and library agree.
type agreed struct {
	equal, differ, both, reader, library int64
	examples                             []string
	reasons                              map[string]int64 // of the library, where the reader accepts
}

func (a *agreed) print(w io.Writer, name string, n int64) {
	fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %d |\n", name, n, a.equal, a.differ, a.both, a.reader, a.library)
	for _, x := range a.examples {
		fmt.Fprintln(os.Stderr, name, x)
	}
	for why, n := range a.reasons {
		fmt.Fprintf(os.Stderr, "%s: only the library refuses, %d times: %s\n", name, n, why)
	}
}

// mostExamples is how many differences are printed.
const mostExamples = 5

// holdAgainst gives the first n mutants of a reader to it and to the library.
func holdAgainst(ctx context.Context, module, python, name string, seed uint64, n int64) (*agreed, error) {
	at := slices.IndexFunc(readers, func(x reader) bool { return x.name == name })
	h, err := newHerd(module, readers[at])
	if err != nil {
		return nil, err
	}
	lib, err := startLibrary(ctx, python, name)
	if err != nil {
		return nil, err
	}
	defer lib.stop()
	out := &agreed{reasons: map[string]int64{}}
	for i := range n {
		b, _ := h.make(seed, i)
		said, err := lib.ask(b)
		if err != nil {
			return nil, fmt.Errorf("mutant %d: %w", i, err)
		}
		out.count(ctx, i, b, oracles[name], said)
	}
	return out, nil
}

// count enters one mutant.
func (a *agreed) count(ctx context.Context, i int64, b []byte, open opens, said answer) {
	m, err := open(ctx, bytes.NewReader(b), int64(len(b)))
	switch {
	case err != nil && said.Refused != "":
		a.both++
	case err != nil:
		a.reader++
	case said.Refused != "":
		a.library++
		a.reasons[shortened(said.Refused)]++
	default:
		if why := otherwise(ctx, m, said.Tensors); why != "" {
			if a.differ++; len(a.examples) < mostExamples {
				a.examples = append(a.examples, fmt.Sprintf("mutant %d: %s", i, why))
			}
			return
		}
		a.equal++
	}
}

// shortened is a reason without what differs from file to file.
func shortened(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r < ' ' || r > '~' {
			return '#'
		}
		return r
	}, s)
	return s[:min(len(s), 60)]
}

// otherwise says in what a model differs from what the library read, or "".
func otherwise(ctx context.Context, m tensor.Model, theirs [][]any) string {
	if theirs == nil {
		return "" // the library has no table of tensors
	}
	all := slices.Clone(m.Tensors())
	slices.SortFunc(all, func(a, b *tensor.Tensor) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(theirs, func(a, b []any) int { return cmp.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])) })
	if len(all) != len(theirs) {
		return fmt.Sprintf("%d tensors, the library has %d", len(all), len(theirs))
	}
	for i, t := range all {
		name, shape := fmt.Sprint(theirs[i][0]), fmt.Sprint(theirs[i][1])
		if t.Name != name || len(t.Shape) > 0 && fmt.Sprint(t.Shape) != shape {
			return fmt.Sprintf("%q %v, the library has %q %s", t.Name, t.Shape, name, shape)
		}
		want, ok := theirs[i][2].(string)
		if !ok || want == "nan" || t.DType == tensor.Opaque {
			continue
		}
		if got := digestOf(ctx, t); got != "" && got != want {
			return fmt.Sprintf("the values of %q, %s %v", t.Name, t.DType, t.Shape)
		}
	}
	return ""
}

// digestOf is that of the values as float32, "" where they cannot be read.
func digestOf(ctx context.Context, t *tensor.Tensor) string {
	x := make([]float32, t.Len())
	if err := t.Data.ReadValues(ctx, x, 0); err != nil {
		return ""
	}
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// library is a process of Python that reads files.
type library struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func startLibrary(ctx context.Context, python, name string) (*library, error) {
	cmd := exec.CommandContext(ctx, python, "-c", oracleScript, name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	return &library{cmd, in, lines}, cmd.Start()
}

func (l *library) ask(b []byte) (a answer, err error) {
	if _, err := l.in.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)); err != nil {
		return a, err
	}
	if !l.lines.Scan() {
		return a, fmt.Errorf("the library's process ended: %w", cmp.Or(l.lines.Err(), io.ErrUnexpectedEOF))
	}
	return a, json.Unmarshal(l.lines.Bytes(), &a)
}

func (l *library) stop() {
	l.in.Close()
	l.cmd.Wait()
}

// Command custom-format compares two checkpoints in a format of one's own: lines
// "NAME ROWS COLS", each followed by the values as little-endian float32.
//
//	go run ./examples/custom-format a.rows b.rows
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: custom-format A B")
	}
	var in [2]report.Input
	for i, file := range args {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		m, err := read(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		in[i] = report.Input{Ref: file, Format: "rows", Model: m}
	}
	r, err := report.Build(context.Background(), in[0], in[1], nil)
	if err != nil {
		return err
	}
	return r.WriteText(w)
}

// read returns the tensors; nothing is allocated that the file does not fill.
func read(raw []byte) (tensor.Model, error) {
	var m tensor.Tensors
	for r := bufio.NewReader(bytes.NewReader(raw)); ; {
		line, err := r.ReadString('\n')
		if err == io.EOF && line == "" {
			return m, nil
		}
		t := &tensor.Tensor{DType: tensor.F32, Shape: []int64{0, 0}}
		if _, err := fmt.Sscanf(line, "%s %d %d\n", &t.Name, &t.Shape[0], &t.Shape[1]); err != nil {
			return nil, err
		}
		n, ok := tensor.Elements(t.Shape)
		if !ok || n > int64(len(raw)/4) {
			return nil, fmt.Errorf("tensor %q is larger than the file", t.Name)
		}
		data, v := make([]byte, 4*n), make(tensor.Values, n)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, err
		}
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		t.Data, m = v, append(m, t)
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/stats"
)

// A decoded type and how ggml calls its decoder. Scales are where a block has numbers
// that are not codes: random bits there would be infinite or vanish.
type decodedType struct {
	of     tensor.DType
	symbol string // of libggml-base.so
	scales []int  // offsets of numbers in half precision
}

var decodedTypes = []decodedType{
	{tensor.F16, "ggml_fp16_to_fp32_row", nil},
	{tensor.BF16, "ggml_bf16_to_fp32_row", nil},
	{tensor.Named("Q1_0"), "dequantize_row_q1_0", []int{0}},
	{tensor.Named("Q4_0"), "dequantize_row_q4_0", []int{0}},
	{tensor.Named("Q4_1"), "dequantize_row_q4_1", []int{0, 2}},
	{tensor.Named("Q5_0"), "dequantize_row_q5_0", []int{0}},
	{tensor.Named("Q5_1"), "dequantize_row_q5_1", []int{0, 2}},
	{tensor.Named("Q8_0"), "dequantize_row_q8_0", []int{0}},
	{tensor.Named("Q2_K"), "dequantize_row_q2_K", []int{80, 82}},
	{tensor.Named("Q3_K"), "dequantize_row_q3_K", []int{108}},
	{tensor.Named("Q4_K"), "dequantize_row_q4_K", []int{0, 2}},
	{tensor.Named("Q5_K"), "dequantize_row_q5_K", []int{0, 2}},
	{tensor.Named("Q6_K"), "dequantize_row_q6_K", []int{208}},
	{tensor.Named("Q8_K"), "dequantize_row_q8_K", []int{2}}, // the upper half of a float32
	{tensor.Named("IQ1_S"), "dequantize_row_iq1_s", []int{0}},
	{tensor.Named("IQ1_M"), "dequantize_row_iq1_m", nil},
	{tensor.Named("IQ2_XXS"), "dequantize_row_iq2_xxs", []int{0}},
	{tensor.Named("IQ2_XS"), "dequantize_row_iq2_xs", []int{0}},
	{tensor.Named("IQ2_S"), "dequantize_row_iq2_s", []int{0}},
	{tensor.Named("IQ3_XXS"), "dequantize_row_iq3_xxs", []int{0}},
	{tensor.Named("IQ3_S"), "dequantize_row_iq3_s", []int{0}},
	{tensor.Named("IQ4_NL"), "dequantize_row_iq4_nl", []int{0}},
	{tensor.Named("IQ4_XS"), "dequantize_row_iq4_xs", []int{0}},
	{tensor.Named("TQ1_0"), "dequantize_row_tq1_0", []int{52}},
	{tensor.Named("TQ2_0"), "dequantize_row_tq2_0", []int{64}},
	{tensor.Named("MXFP4"), "dequantize_row_mxfp4", nil},
	{tensor.Named("NVFP4"), "dequantize_row_nvfp4", nil},
}

// decodedValues are decoded at a time: what lies in the second cache.
const decodedValues = 1 << 16

// decodeCommand measures the decoders of stored types.
func decodeCommand() *cobra.Command {
	var only, docs string
	var peers []string
	var rounds int
	c := &cobra.Command{
		Use:   "decode",
		Short: "measure the decoders of stored types, beside those of others",
		Long: `decode decodes random blocks of each type and prints values a second of one
processor. --peer NAME=COMMAND names a program that decodes the same blocks, such as
testdata/peers.py with ggml's own code or with gguf-py; the programs then take turns,
and a ratio is the median over the rounds.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			table, err := decodeTable(c.Context(), only, peers, rounds)
			if err != nil {
				return err
			}
			if docs == "" {
				_, err = io.WriteString(c.OutOrStdout(), table)
				return err
			}
			return fillDocs(docs, "decode", table)
		},
	}
	c.Flags().StringVar(&only, "only", "", "types whose names contain this")
	c.Flags().StringArrayVar(&peers, "peer", nil, "NAME=COMMAND that decodes too")
	c.Flags().StringVar(&docs, "docs", "", "fill the table of this page instead of printing it")
	c.Flags().IntVar(&rounds, "rounds", 9, "turns of each")
	return c
}

func decodeTable(ctx context.Context, only string, commands []string, rounds int) (string, error) {
	dir, err := os.MkdirTemp("", "weightprint-decode-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	var b strings.Builder
	b.WriteString("| type | million values a second |")
	var peers []*peerProcess
	for _, p := range commands {
		name, command, _ := strings.Cut(p, "=")
		started, err := startPeer(ctx, command)
		if err != nil {
			return "", err
		}
		defer started.stop()
		peers = append(peers, started)
		fmt.Fprintf(&b, " %s | ratio |", name)
	}
	fmt.Fprintf(&b, "\n|---|---|%s\n", strings.Repeat("---|---|", len(peers)))
	for _, t := range decodedTypes {
		if !strings.Contains(t.of.String(), only) {
			continue
		}
		if err := t.row(&b, peers, dir, rounds); err != nil {
			return "", fmt.Errorf("%s: %w", t.of, err)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", measuredOn())
	return b.String(), nil
}

// row writes speeds in million values a second, and medians of ours over theirs.
func (t *decodedType) row(w io.Writer, peers []*peerProcess, dir string, rounds int) error {
	codec, ok := t.of.Codec()
	if !ok {
		return errors.New("no codec")
	}
	src := t.blocks(codec)
	file := filepath.Join(dir, t.of.String())
	if err := os.WriteFile(file, src, 0o600); err != nil {
		return err
	}
	dst := make([]float32, decodedValues)
	times := 16
	for took := time.Duration(0); took < 20*time.Millisecond; times *= 2 {
		took = decodeTime(codec, dst, src, times)
	}
	ours, theirs, ratios := []float64(nil), make([][]float64, len(peers)), make([][]float64, len(peers))
	for range rounds {
		speed := float64(decodedValues*times) / 1e6 / decodeTime(codec, dst, src, times).Seconds()
		ours = append(ours, speed)
		for i, p := range peers {
			seconds, err := p.ask(fmt.Sprintf("%s\t%s\t%d\t%d\t%s", t.of, t.symbol, decodedValues, times, file))
			if err != nil {
				return err
			}
			peer := float64(decodedValues*times) / 1e6 / seconds
			theirs[i], ratios[i] = append(theirs[i], peer), append(ratios[i], speed/peer)
		}
	}
	fmt.Fprintf(w, "| %s | %.0f |", t.of, stats.Median(ours))
	for i := range peers {
		if math.IsNaN(ratios[i][0]) { // it has no such type
			fmt.Fprint(w, "  |  |")
			continue
		}
		fmt.Fprintf(w, " %.0f | %.2f |", stats.Median(theirs[i]), stats.Median(ratios[i]))
	}
	fmt.Fprintln(w)
	return nil
}

func decodeTime(codec *tensor.Codec, dst []float32, src []byte, times int) time.Duration {
	begun := processTime()
	for range times {
		codec.Decode(dst, src)
	}
	return processTime() - begun
}

// blocks are random codes under scales of about a hundredth.
func (t *decodedType) blocks(codec *tensor.Codec) []byte {
	r := rand.NewChaCha8([32]byte{1})
	src := make([]byte, decodedValues/codec.BlockValues*codec.BlockBytes)
	r.Read(src)
	const hundredth = 0x211f // in half precision
	for b := range slices.Chunk(src, codec.BlockBytes) {
		for _, at := range t.scales {
			binary.LittleEndian.PutUint16(b[at:], hundredth)
		}
		t.tame(b)
	}
	return src
}

// tame does so for types whose scales lie in other ways.
func (t *decodedType) tame(b []byte) {
	switch t.of {
	case tensor.F16, tensor.BF16:
		b[1] = b[1]&0x83 | 0x3c
	case tensor.Named("MXFP4"):
		b[0] = 120
	case tensor.Named("NVFP4"):
		copy(b, "\x31\x32\x33\x34")
	case tensor.Named("Q8_K"):
		b[3] = 0x3c
	case tensor.Named("IQ1_M"): // a digit of the scale in the top of each of four words
		for i, digit := range []byte{0xf, 0x1, 0x1, 0x2} {
			b[49+2*i] = b[49+2*i]&0x0f | digit<<4
		}
	}
}

// peerProcess answers lines with the processor seconds that the work took.
type peerProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startPeer starts a command of the caller's.
func startPeer(ctx context.Context, command string) (*peerProcess, error) {
	p := &peerProcess{cmd: exec.CommandContext(ctx, "sh", "-c", command)}
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewScanner(out)
	return p, p.cmd.Start()
}

func (p *peerProcess) ask(line string) (seconds float64, err error) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return 0, err
	}
	if !p.out.Scan() {
		return 0, fmt.Errorf("the peer has ended: %v", p.out.Err())
	}
	_, err = fmt.Sscan(p.out.Text(), &seconds)
	return seconds, err
}

func (p *peerProcess) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

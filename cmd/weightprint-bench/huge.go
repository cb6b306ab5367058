package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/softmemory"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/recipe"
)

// Of the models of the verb huge, a and b were made from one base, tuned from a, and
// merged from both.
const hugeShare = 0.6 // of a in the merge

// hugeJobs are what is asked of them, each in a process of its own.
var hugeJobs = []struct {
	name string
	refs []string
	run  func(ctx context.Context, refs []string) (string, error)
}{
	{"compare tuned", []string{"a", "tuned"}, hugeCompare},
	{"compare merged", []string{"a", "merged"}, hugeCompare},
	{"compare stranger", []string{"a", "stranger"}, hugeCompare},
	{"recipe", []string{"merged", "a", "b"}, hugeRecipe},
}

func hugeCommand() *cobra.Command {
	var one, only string
	var small bool
	c := &cobra.Command{
		Use:   "huge",
		Short: "compare and unmix mixtures of experts of 397 billion parameters in 163 shards over HTTP, and print what that costs",
		Long: `huge serves models that take no room: their bytes follow from seeds when they are asked
for. Each job runs in a process of its own that reads them by ranges as from any server;
its processor time and memory are those of that process, the bytes those that were sent.`,
		RunE: func(c *cobra.Command, refs []string) error {
			if one != "" {
				return hugeOne(c.Context(), c.OutOrStdout(), one, refs)
			}
			return hugeAll(c.Context(), c.OutOrStdout(), only, small)
		},
	}
	c.Flags().StringVar(&only, "only", "", "jobs whose names contain this")
	c.Flags().BoolVar(&small, "small", false, "a mixture of 40 million parameters in 3 shards instead")
	c.Flags().StringVar(&one, "one", "", "run one job in this process")
	_ = c.Flags().MarkHidden("one")
	return c
}

func hugeOne(ctx context.Context, w io.Writer, name string, refs []string) error {
	softmemory.Limit() // as the command does
	for _, j := range hugeJobs {
		if j.name == name {
			words, err := j.run(ctx, refs)
			if err == nil {
				_, err = fmt.Fprintln(w, words)
			}
			return err
		}
	}
	return fmt.Errorf("no job is called %q", name)
}

func hugeCompare(ctx context.Context, refs []string) (string, error) {
	r, err := report.Compare(ctx, refs[0], refs[1], &report.Options{Private: true})
	if err != nil {
		return "", err
	}
	return r.Summary(), nil
}

func hugeRecipe(ctx context.Context, refs []string) (string, error) {
	var in []report.Input
	for _, ref := range refs {
		c, err := formats.Open(ctx, ref, &formats.Options{AllowPrivate: true})
		if err != nil {
			return "", err
		}
		defer c.Close()
		in = append(in, report.FromCheckpoint(ctx, c))
	}
	r, err := recipe.Find(ctx, in[0], in[1:], nil)
	if err != nil {
		return "", err
	}
	words := fmt.Sprintf("%s %s", r.Method, r.After)
	for _, p := range r.Parents {
		words += fmt.Sprintf(" %.4f±%.4f", float64(p.Weight), float64(p.CI))
	}
	return words, nil
}

func hugeAll(ctx context.Context, w io.Writer, only string, small bool) error {
	s, err := serveHuge(small)
	if err != nil {
		return err
	}
	defer s.http.Close()
	for _, j := range hugeJobs {
		if !strings.Contains(j.name, only) {
			continue
		}
		args := []string{"huge", "--one", j.name}
		for _, ref := range j.refs {
			s.models[ref].sent.Store(0)
			args = append(args, s.url+ref+"/")
		}
		used, words, err := run(exec.CommandContext(ctx, os.Args[0], args...))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "BenchmarkHuge/%s 1 %.1f cpu-s %.0f MiB", strings.ReplaceAll(j.name, " ", "="), used.CPU, float64(used.RSS)/(1<<20))
		for _, ref := range j.refs {
			fmt.Fprintf(w, " %.1f MiB-read-of-%s", float64(s.models[ref].sent.Load())/(1<<20), ref)
		}
		fmt.Fprintf(w, "\n# %s\n", words)
	}
	return nil
}

// hugeServer serves models by their names.
type hugeServer struct {
	url    string
	http   *http.Server
	models map[string]*hugeFiles
}

func serveHuge(small bool) (*hugeServer, error) {
	shape, shards := zoo.Huge, 163
	if small {
		shape, shards = zoo.Mixture{Layers: 4, Hidden: 256, Heads: 8, KVHeads: 2, HeadDim: 32, Experts: 32, Width: 256, Shared: 256, Vocab: 4096}, 3
	}
	specs, meta := shape.Specs()
	drawn := func(seed, noiseSeed uint64, noise float64) *zoo.Drawn {
		return zoo.NewDrawn(specs, meta, seed, noiseSeed, noise)
	}
	a, b := drawn(1, 2, 0.1), drawn(1, 3, 0.1)
	s := &hugeServer{models: map[string]*hugeFiles{}}
	for name, m := range map[string]*zoo.Drawn{"a": a, "b": b, "tuned": zoo.NewMixed(specs, meta, a, drawn(1, 4, 0.1), 0.8), "merged": zoo.NewMixed(specs, meta, a, b, hugeShare), "stranger": drawn(5, 0, 0)} {
		x, err := shardsOf(m, specs, shards, shape)
		if err != nil {
			return nil, err
		}
		s.models[name] = x
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.url = "http://" + l.Addr().String() + "/"
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go s.http.Serve(l) // returns when closed
	return s, nil
}

// ServeHTTP sends ranges of the files of a model.
func (s *hugeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	m := s.models[name]
	if m == nil || m.files[file] == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"`+name+"-"+file+`"`)
	x := m.files[file]
	http.ServeContent(counting{w, &m.sent}, r, file, time.Time{}, io.NewSectionReader(x, 0, x.size()))
}

// counting counts the bytes of bodies.
type counting struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// hugeFiles is the files of a model.
type hugeFiles struct {
	files map[string]*virtual
	sent  atomic.Int64
}

// shardsOf lays the tensors of a drawn model into so many files of about one size, with
// the files that lie beside them.
func shardsOf(m *zoo.Drawn, specs []zoo.Spec, shards int, shape zoo.Mixture) (*hugeFiles, error) {
	out := &hugeFiles{files: map[string]*virtual{}}
	each := m.Bytes()/int64(shards) + 1
	where := map[string]string{}
	left, at := specs, int64(0)
	for k := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", k+1, shards)
		first := left
		for n := 0; len(left) > 0 && (at < each*int64(k+1) || n == 0); n++ {
			t, _ := m.Tensor(left[0].Name)
			at += t.StoredBytes()
			where[left[0].Name] = name
			left = left[1:]
		}
		x, err := virtualOf(m, first[:len(first)-len(left)])
		if err != nil {
			return nil, err
		}
		out.files[name] = x
	}
	for name, v := range map[string]any{
		"model.safetensors.index.json": map[string]any{"metadata": map[string]any{"total_size": m.Bytes()}, "weight_map": where},
		"config.json": map[string]any{"architectures": []string{"Qwen3MoeForCausalLM"}, "model_type": "qwen3_moe", "hidden_size": shape.Hidden, "num_hidden_layers": shape.Layers,
			"num_attention_heads": shape.Heads, "num_key_value_heads": shape.KVHeads, "head_dim": shape.HeadDim, "moe_intermediate_size": shape.Width, "num_experts": shape.Experts,
			"vocab_size": shape.Vocab, "rope_theta": 1e7, "torch_dtype": "bfloat16", "tie_word_embeddings": false},
		"tokenizer.json": map[string]any{"version": "1.0", "model": map[string]any{"type": "BPE", "vocab": vocabularyOf(shape.Vocab), "merges": []string{}}},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		out.files[name] = &virtual{head: text}
	}
	return out, nil
}

func vocabularyOf(n int) map[string]int {
	out := map[string]int{}
	for i := range n {
		out[fmt.Sprintf("tok%d", i)] = i
	}
	return out
}

// virtual is a file of which only the beginning is held; the rest is drawn.
type virtual struct {
	head    []byte
	tensors []placed
	end     int64
}

// placed is a tensor and where it begins behind the head.
type placed struct {
	at, bytes int64
	values    io.ReaderAt
}

// virtualOf is a safetensors file of some tensors of a model.
func virtualOf(m *zoo.Drawn, specs []zoo.Spec) (*virtual, error) {
	v := &virtual{}
	for _, s := range specs {
		t, _ := m.Tensor(s.Name)
		v.tensors = append(v.tensors, placed{v.end, t.StoredBytes(), zoo.Bytes(t)})
		v.end += t.StoredBytes()
	}
	var err error
	v.head, err = zoo.Header(specs)
	return v, err
}

func (v *virtual) size() int64 { return int64(len(v.head)) + v.end }

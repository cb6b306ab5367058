package formats

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/source/sourcetest"
	"github.com/weightprint/weightprint/formats/tensor"
)

const flux = " = pipeline/testdata/flux.safetensors"

// opened opens a reference and holds the model to what all models keep.
func opened(t *testing.T, ref string, o *Options) (*Checkpoint, error) {
	t.Helper()
	m, err := Open(context.Background(), ref, o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { m.Close() })
	formatstest.Model(t, m)
	return m, nil
}

// Of a pipeline one component is opened, from its folder or out of a file of
// several; what is meant must be said.
func TestComponents(t *testing.T) {
	dir := laid(t, "model_index.json: {}", "unet/config.json: {\"_class_name\":\"U\"}", "vae/config.json: {}", "scheduler/config.json: {}")
	copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(dir, "unet", "diffusion_pytorch_model.safetensors"))
	copyTo(t, "testdata/index/001-good/model-00002-of-00002.safetensors", filepath.Join(dir, "vae", "diffusion_pytorch_model.safetensors"))
	_, err := opened(t, dir, nil)
	require.ErrorIs(t, err, ErrComponents)
	require.ErrorContains(t, err, "unet, vae; name one with --component")
	_, err = opened(t, dir, &Options{Component: "text_encoder"})
	require.ErrorIs(t, err, tensor.ErrNotModel)
	require.ErrorContains(t, err, "unet, vae")
	for _, name := range []string{"../unet", "unet/..", ".", ""} {
		if _, err = opened(t, dir, &Options{Component: name}); name != "" {
			require.ErrorIs(t, err, tensor.ErrNotModel, name)
		}
	}
	m, err := opened(t, dir, &Options{Component: "unet"})
	require.NoError(t, err)
	require.Equal(t, "unet", m.Component)
	class, _ := m.Metadata().String("config._class_name")
	require.Equal(t, "U", class, "its own configuration")

	single := laid(t, "flux.safetensors"+flux)
	m, err = opened(t, single, &Options{Component: "transformer"})
	require.NoError(t, err)
	require.Equal(t, "transformer", m.Component)
	_, ok := m.Tensor("single_transformer_blocks.0.proj_mlp.bias")
	require.True(t, ok)
	_, err = opened(t, single, &Options{Component: "vae"})
	require.ErrorContains(t, err, "it holds transformer")
	m, err = opened(t, filepath.Join(dir, "vae"), &Options{Component: "vae"})
	require.NoError(t, err)
	require.Contains(t, m.Warnings[0], "no components")
}

// The folders of a repository on a hub are opened by their names.
func TestComponentsOfAHub(t *testing.T) {
	root := t.TempDir()
	repo := filepath.Join(root, "org", "pipe")
	require.NoError(t, os.MkdirAll(filepath.Join(repo, "unet"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(repo, "model_index.json"), []byte("{}"), 0o600))
	copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(repo, "unet", "diffusion_pytorch_model.safetensors"))
	hub, err := sourcetest.ServeHub(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "")
	_, err = openRemote(t, "hf:org/pipe")
	require.ErrorIs(t, err, ErrComponents)
	for _, c := range []struct{ ref, component string }{{"hf:org/pipe", "unet"}, {"hf:org/pipe:unet", ""}, {"hf:org/pipe:unet/diffusion_pytorch_model.safetensors", ""}} {
		m, err := opened(t, c.ref, &Options{AllowPrivate: true, Component: c.component})
		require.NoError(t, err, c.ref)
		require.True(t, m.Files()[0].Identity.Listed)
	}
	_, err = openRemote(t, "hf:org/pipe:vae")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Modules behind a SentenceTransformers model's transformer are read with it.
func TestModules(t *testing.T) {
	const list = `[{"idx":0,"path":"%","type":"sentence_transformers.models.Transformer"},{"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"idx":2,"path":"2_Dense","type":"sentence_transformers.models.Dense"},{"idx":3,"path":"../evil","type":"x"}]`
	for _, path := range []string{"", "0_Transformer"} {
		dir := laid(t, "modules.json: "+strings.ReplaceAll(list, "%", path), "1_Pooling/config.json: {}", "2_Dense/config.json: {\"model_type\":\"none\"}", path+"/config.json: {\"model_type\":\"bert\"}")
		copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(dir, path, "model.safetensors"))
		copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(dir, "2_Dense", "model.safetensors"))
		m, err := opened(t, dir, nil)
		require.NoError(t, err, path)
		own := m.Tensors()[0].Name
		dense, ok := m.Tensor("2_Dense." + own)
		require.True(t, ok)
		require.NotNil(t, FileOf(dense))
		require.Equal(t, "2_Dense/model.safetensors", FileOf(dense).Path)
		kind, _ := m.Metadata().String("config.model_type")
		require.Equal(t, "bert", kind)
		require.Equal(t, "safetensors", m.Format)
	}
	broken := laid(t, "modules.json: [", "model.safetensors"+one)
	m, err := opened(t, broken, nil)
	require.NoError(t, err)
	require.Contains(t, m.Warnings[0], "modules.json is not used")
}

// Of DeepSpeed's checkpoints those whose weights lie in one file are read.
func TestDeepSpeed(t *testing.T) {
	const state = "torch/testdata/state-dict.pt"
	dir := laid(t, "latest: global_step20\n", "zero_to_fp32.py: #!/usr/bin/env python", "global_step10/mp_rank_00_model_states.pt: no model", "global_step20/zero_pp_rank_0_mp_rank_00_optim_states.pt: no model")
	copyTo(t, state, filepath.Join(dir, "global_step20", "mp_rank_00_model_states.pt"))
	for _, ref := range []string{dir, filepath.Join(dir, "global_step20")} {
		m, err := opened(t, ref, nil)
		require.NoError(t, err)
		require.Len(t, m.Files(), 1)
		require.Equal(t, "torch", m.Format)
	}
	copyTo(t, state, filepath.Join(dir, "global_step20", "mp_rank_01_model_states.pt"))
	_, err := opened(t, dir, nil)
	require.ErrorIs(t, err, tensor.ErrUnsupported)
	require.ErrorContains(t, err, "2 pieces of model parallelism")
	copyTo(t, state, filepath.Join(dir, "global_step20", "zero_pp_rank_0_mp_rank_00_model_states.pt"))
	_, err = opened(t, dir, nil)
	require.ErrorContains(t, err, "zero_pp_rank_0_mp_rank_00_optim_states.pt")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "latest"), []byte("../global_step10"), 0o600))
	_, err = opened(t, dir, nil)
	require.ErrorIs(t, err, tensor.ErrNotModel)
}

// The files of ZeRO's stage 3 are one model, whichever of them are named and in
// whatever order a folder lists them; a rank that is missing is missed.
func TestZeRO(t *testing.T) {
	dir := t.TempDir()
	const from = "torch/testdata/zero3/global_step4"
	files, err := filepath.Glob(from + "/*.pt")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, f := range files {
		copyTo(t, f, filepath.Join(dir, "global_step4", filepath.Base(f)))
	}
	for _, ref := range []string{filepath.Join(dir, "global_step4"), "torch/testdata/zero3"} {
		m, err := opened(t, ref, nil)
		require.NoError(t, err)
		require.Len(t, m.Files(), 6)
		require.Len(t, m.Tensors(), 10)
		head, _ := m.Tensor("head.weight")
		require.Equal(t, []int64{7, 5}, head.Shape)
	}
	for _, gone := range []string{"bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt", "zero_pp_rank_0_mp_rank_00_model_states.pt"} {
		require.NoError(t, os.Remove(filepath.Join(dir, "global_step4", gone)))
		_, err = opened(t, dir+"/global_step4", nil)
		require.ErrorIs(t, err, ErrIncomplete, gone)
	}
	copyTo(t, files[5], filepath.Join(dir, "global_step4", "zero_pp_rank_0_mp_rank_01_model_states.pt"))
	_, err = opened(t, dir+"/global_step4", nil)
	require.ErrorIs(t, err, tensor.ErrUnsupported)
}

// The variables of a SavedModel and of a checkpoint are read by their index.
func TestTensorFlow(t *testing.T) {
	const from = "tensorbundle/testdata/variables"
	dir := laid(t, "saved_model.pb: graph", "fingerprint.pb: x", "variables/x: y")
	copyTo(t, from+".index", filepath.Join(dir, "variables", "variables.index"))
	_, err := opened(t, dir, nil)
	require.Error(t, err, "no values")
	copyTo(t, from+".data-00000-of-00001", filepath.Join(dir, "variables", "variables.data-00000-of-00001"))
	for _, ref := range []string{dir, filepath.Join(dir, "variables"), filepath.Join(dir, "variables", "variables.index")} {
		m, err := opened(t, ref, nil)
		require.NoError(t, err, ref)
		require.Equal(t, "tensorflow", m.Format)
		require.Len(t, m.Files(), 2)
	}
}

// Files that were cut into pieces are read as one.
func TestPieces(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) { require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600)) }
	single, err := os.ReadFile("testdata/index/001-good/model-00001-of-00002.safetensors")
	require.NoError(t, err)
	for i, at := range []int{0, 100, 101, len(single)} {
		before := []int{0, 0, 100, 101}[i]
		write("m.gguf.part"+string(rune('0'+i))+"of3", single[before:at]) // what they hold is told by content
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "m.gguf.part0of3")))
	for _, name := range []string{"", "m.gguf.part1of3", "m.gguf.part3of3"} {
		m, err := opened(t, filepath.Join(dir, name), nil)
		require.NoError(t, err, name)
		require.Len(t, m.Files(), 3)
		require.EqualValues(t, len(single), m.BytesTotal())
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "m.gguf.part2of3")))
	_, err = opened(t, dir, nil)
	require.ErrorIs(t, err, ErrIncomplete)
	_, err = opened(t, filepath.Join(dir, "m.gguf.part3of3"), nil)
	require.ErrorIs(t, err, ErrIncomplete)
	write("m.gguf.part4of3", single)
	_, err = opened(t, filepath.Join(dir, "m.gguf.part4of3"), nil)
	require.ErrorIs(t, err, tensor.ErrFormat)

	write("x.gguf-split-a", single[:90])
	write("x.gguf-split-b", single[90:])
	m, err := opened(t, filepath.Join(dir, "x.gguf-split-b"), nil)
	require.NoError(t, err)
	require.Len(t, m.Files(), 2)
	require.NoError(t, os.Remove(filepath.Join(dir, "x.gguf-split-a")))
	_, err = opened(t, filepath.Join(dir, "x.gguf-split-b"), nil)
	require.ErrorIs(t, err, ErrIncomplete)
}

// What lies beside a GGUF model for its use is passed over; statistics of activations
// are no model.
func TestBesideGGUF(t *testing.T) {
	one, err := os.ReadFile("gguf/testdata/types/BF16.gguf")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"model-Q4_K_M.gguf", "mmproj-model-f16.gguf", "model.imatrix.gguf"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), one, 0o600))
	}
	m, err := opened(t, dir, nil)
	require.NoError(t, err)
	require.Equal(t, "model-Q4_K_M.gguf", m.Files()[0].Path)
	require.Contains(t, strings.Join(m.Warnings, "\n"), "mmproj-model-f16.gguf")
	require.Contains(t, strings.Join(m.Warnings, "\n"), "model.imatrix.gguf")

	statistics := "GGUF\x03\x00\x00\x00" + strings.Repeat("\x00", 8) + "\x01" + strings.Repeat("\x00", 7) + "\x0c" + strings.Repeat("\x00", 7) + "general.type" + "\x08\x00\x00\x00" + "\x07" + strings.Repeat("\x00", 7) + "imatrix"
	path := filepath.Join(dir, "model.imatrix.gguf")
	require.NoError(t, os.WriteFile(path, []byte(statistics), 0o600))
	_, err = opened(t, path, nil)
	require.ErrorIs(t, err, tensor.ErrNotModel)
	require.ErrorContains(t, err, "importance matrix")
}

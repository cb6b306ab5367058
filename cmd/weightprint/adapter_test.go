package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// adapterFor writes a LoRA adapter of rank 1 on one matrix of rows × cols.
func adapterFor(t *testing.T, module string, rows, cols int) (dir string) {
	t.Helper()
	var data []byte
	for i := range rows + cols {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i%7)/100))
	}
	header, err := json.Marshal(map[string]any{
		"base_model.model." + module + ".lora_A.weight": map[string]any{"dtype": "F32", "shape": []int{1, cols}, "data_offsets": []int{0, 4 * cols}},
		"base_model.model." + module + ".lora_B.weight": map[string]any{"dtype": "F32", "shape": []int{rows, 1}, "data_offsets": []int{4 * cols, 4 * (rows + cols)}},
	})
	require.NoError(t, err)
	dir = t.TempDir()
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter_model.safetensors"), append(file, data...), 0o600))
	config := `{"peft_type":"LORA","r":1,"lora_alpha":1,"base_model_name_or_path":"base"}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(config), 0o600))
	return dir
}

// An adapter is searched and fingerprinted on its base; alone it cannot be
// searched, for nothing of the base is in it.
func TestAdapterOnItsBase(t *testing.T) {
	models := demoModels(t)
	base, work := filepath.Join(models, "base"), t.TempDir()
	adapter := adapterFor(t, "model.layers.0.mlp.down_proj", 96, 256)
	file, print := filepath.Join(work, "x.wpi"), filepath.Join(work, "x.wfp")
	code, _, stderr := call("index", "add", "--index", file, base, filepath.Join(models, "other-seed"))
	require.Zero(t, code, stderr)

	code, out, stderr := call("index", "search", "--index", file, adapter)
	require.Equal(t, exitError, code)
	require.Empty(t, out)
	require.Contains(t, stderr, "--base")

	code, out, stderr = call("index", "search", "--index", file, adapter, "--base", base, "--json")
	require.Zero(t, code, stderr)
	var found struct{ Hits []struct{ Name string } }
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Len(t, found.Hits, 1)
	require.Equal(t, "base", found.Hits[0].Name)

	code, _, stderr = call("fingerprint", adapter, "-o", print)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "--base MODEL applies it to its base")
	require.NoFileExists(t, print)

	_, out, stderr = call("compare", base, adapter)
	require.NotContains(t, out, "compare "+base+" '")
	require.Contains(t, strings.Join(strings.Fields(out), " "), "weightprint compare "+base+" "+adapter+" --base BASE", stderr)
	require.Contains(t, strings.Join(strings.Fields(out), " "), "weightprint inspect "+adapter+" ", "what can be run at once comes first")

	code, _, stderr = call("fingerprint", adapter, "--base", base, "-o", print)
	require.Zero(t, code, stderr)
	code, out, _ = call("compare", "-q", print, base)
	require.Zero(t, code)
	require.Contains(t, out, "inconclusive (a lead)")
}

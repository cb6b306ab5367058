package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
)

// Why nothing was written.
var (
	ErrPlace      = errors.New("nothing was written")                   // an output must not go there
	ErrUnwritable = errors.New("nothing can be written to this folder") // or it does not exist
)

func refused(name, format string, args ...any) error {
	return fmt.Errorf("%s: %s; %w", escape.Printable(name), fmt.Sprintf(format, args...), ErrPlace)
}

// Rules say what an output may take the place of.
type Rules struct {
	Mode   fs.FileMode            // of a new file, less the umask; 0 for 0o666
	New    bool                   // nothing may stand there
	Ours   func(head []byte) bool // what may be replaced, told by its first bytes
	Inputs []string               // files and folders that are read
	Force  bool                   // replace also what is not ours
}

// headBytes is how much of a file Rules.Ours sees.
const headBytes = 4 << 20

// resolve follows a symbolic link, so that the link stays and what it names is
// replaced.
func resolve(name string) (string, error) {
	if strings.HasSuffix(name, "/") || strings.HasSuffix(name, string(filepath.Separator)) {
		return "", refused(name, "a folder; name a file in it")
	}
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name, nil
	case err != nil:
		return "", err
	case info.Mode()&fs.ModeSymlink == 0:
		return name, nil
	}
	to, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", refused(name, "a symbolic link that leads nowhere")
	}
	return to, nil
}

// check looks at a place. It returns what stands there, nil for nothing.
func (t *Target) check() (fs.FileInfo, error) {
	info, err := os.Lstat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, t.checkName()
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, refused(t.name, "a folder; name a file in it")
	case !info.Mode().IsRegular():
		return nil, refused(t.name, "%s, not a regular file; - stands for the standard output", kindOf(info.Mode()))
	case t.rules.New:
		return nil, refused(t.name, "exists, and is never overwritten")
	}
	switch of := sameAs(info, t.rules.Inputs); of {
	case "":
	case t.name:
		return nil, refused(t.name, "is read by the same command")
	default:
		return nil, refused(t.name, "is %s, which is read by the same command", escape.Printable(of))
	}
	if t.rules.Force {
		return info, nil
	}
	if info.Mode().Perm()&0o222 == 0 {
		return nil, refused(t.name, "exists and is read-only; --force replaces it")
	}
	if err := t.checkName(); err != nil {
		return nil, err
	}
	return info, t.checkContent(info)
}

// checkContent requires that what stands there is empty or ours.
func (t *Target) checkContent(info fs.FileInfo) error {
	if info.Size() == 0 {
		return nil
	}
	head, err := readHead(t.path)
	if err != nil {
		return fmt.Errorf("%s: looking at what stands there: %w", escape.Printable(t.name), err)
	}
	if t.rules.Ours == nil || !t.rules.Ours(head) {
		return refused(t.name, "exists and is not what this verb writes; --force replaces it")
	}
	return nil
}

func readHead(name string) ([]byte, error) {
	f, err := OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.File.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(headBytes, info.Size()))
	n, err := f.ReadAt(b, 0)
	if n == len(b) {
		err = nil
	}
	return b[:n], err
}

// mostEntries bounds the files of a folder that an output is held against.
const mostEntries = 20000

// sameAs names the input that a file is: under the same name or another, through
// a link of either kind, as a part of the model in a folder.
func sameAs(info fs.FileInfo, inputs []string) (of string) {
	for _, in := range inputs {
		seen := 0
		if to, err := filepath.EvalSymlinks(in); err == nil {
			in = to
		}
		_ = filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error {
			if seen++; err != nil || seen > mostEntries {
				return filepath.SkipAll
			}
			if path != in && !partOfModel(path) {
				return nil
			}
			if x, err := os.Stat(path); err == nil && os.SameFile(x, info) {
				of = path
				return filepath.SkipAll
			}
			return nil
		})
		if of != "" {
			return of
		}
	}
	return ""
}

// Names by which the parts of a model are found in its folder.
var (
	weightEndings = []string{".safetensors", ".gguf", ".ggml", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".onnx_data", ".h5", ".hdf5", ".keras", ".msgpack", ".npz", ".npy", ".nemo", ".pdparams", ".tflite", ".pb", ".mlx", ".index.json"}
	modelNames    = []string{"config.json", "generation_config.json", "adapter_config.json", "model_index.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "vocab.json", "merges.txt", "preprocessor_config.json", "quantize_config.json", "params.json", "readme.md"}
	modelSigns    = []string{".safetensors", ".gguf", ".index.json"}
)

func partOfModel(name string) bool {
	name = strings.ToLower(filepath.Base(name))
	return slices.Contains(modelNames, name) || slices.ContainsFunc(weightEndings, func(e string) bool { return strings.HasSuffix(name, e) })
}

// checkName refuses a name that would make an output a part of a model.
func (t *Target) checkName() error {
	if t.rules.Force || !partOfModel(t.path) || !modelFolder(filepath.Dir(t.path), t.rules.Inputs) {
		return nil
	}
	return refused(t.name, "would be taken for a part of the model in its folder; choose another name or folder, or --force")
}

// modelFolder tells whether a folder is an input, holds one, or holds weights.
func modelFolder(dir string, inputs []string) bool {
	here, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for _, in := range inputs {
		for _, x := range []string{in, filepath.Dir(in)} {
			if info, err := os.Stat(in); err != nil || x != in && info.IsDir() {
				continue
			}
			if info, err := os.Stat(x); err == nil && os.SameFile(info, here) {
				return true
			}
		}
	}
	all, _ := os.ReadDir(dir)
	return slices.ContainsFunc(all, func(e fs.DirEntry) bool {
		name := strings.ToLower(e.Name())
		return name == "config.json" || slices.ContainsFunc(modelSigns, func(s string) bool { return strings.HasSuffix(name, s) })
	})
}

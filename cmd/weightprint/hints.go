package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
)

// weightEndings are those of most files with weights, for hints only: what is
// opened is told by content.
var weightEndings = []string{".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".npz", ".npy", ".h5", ".keras", ".msgpack", ".tflite"}

func hasWeights(dir string) bool {
	all, _ := os.ReadDir(dir)
	return slices.ContainsFunc(all, func(e os.DirEntry) bool { return slices.Contains(weightEndings, filepath.Ext(e.Name())) })
}

// mostNamed is how many folders a hint lists.
const mostNamed = 6

// folderHint says what lies in a folder that is no model: folders that hold models,
// or configurations without their weights.
func folderHint(ref string, err error) string {
	dir, e := source.Local(ref)
	if !errors.Is(err, tensor.ErrNotModel) || errors.Is(err, formats.ErrComponents) || e != nil || strings.Contains(err.Error(), "name one of them") {
		return ""
	}
	all, e := os.ReadDir(dir)
	if e != nil || hasWeights(dir) {
		return ""
	}
	var models []string
	configured := false
	for _, x := range all {
		configured = configured || x.Name() == "config.json"
		if path := filepath.Join(dir, x.Name()); hasWeights(path) {
			models = append(models, escape.Printable(path))
		}
	}
	switch more := len(models) - mostNamed; {
	case more > 0:
		return fmt.Sprintf("; its folders hold models, name one: %s and %d more", strings.Join(models[:mostNamed], ", "), more)
	case len(models) > 0:
		return "; its folders hold models, name one: " + strings.Join(models, ", ")
	case configured:
		return "; it holds configurations without their weights: the download is incomplete, or only the tokenizer was fetched"
	}
	return ""
}

// unwritten says what to ask for in place of a form that is not written.
var unwritten = map[string]string{
	".pdf": "-o FILE.html, which prints to PDF from any browser", ".docx": "-o FILE.md or -o FILE.html", ".odt": "-o FILE.html", ".doc": "-o FILE.html", ".rtf": "-o FILE.html",
	".tex": "-o FILE.md", ".csv": "-o FILE.json", ".xlsx": "-o FILE.json", ".xml": "-o FILE.json", ".yaml": "-o FILE.json", ".yml": "-o FILE.json", ".png": "-o FILE.html, whose pictures are SVG", ".jpg": "-o FILE.html, whose pictures are SVG",
}

// unwrittenTrees is the same for a lineage.
var unwrittenTrees = map[string]string{".pdf": "-o FILE.svg", ".png": "-o FILE.svg", ".jpg": "-o FILE.svg", ".csv": "-o FILE.json"}

// unwrittenDiffs is the same for a difference.
var unwrittenDiffs = map[string]string{
	".pdf": "-o FILE.svg", ".png": "-o FILE.svg", ".jpg": "-o FILE.svg", ".html": "-o FILE.md or -o FILE.svg", ".htm": "-o FILE.md or -o FILE.svg",
	".docx": "-o FILE.md", ".odt": "-o FILE.md", ".doc": "-o FILE.md", ".rtf": "-o FILE.md", ".tex": "-o FILE.md",
	".csv": "-o FILE.json", ".xlsx": "-o FILE.json", ".xml": "-o FILE.json", ".yaml": "-o FILE.json", ".yml": "-o FILE.json",
}

// unwrittenForm is the error for an output file whose name asks for a form that is
// not written.
func unwrittenForm(file string, unwritten map[string]string) error {
	ending := strings.ToLower(filepath.Ext(file))
	if instead, ok := unwritten[ending]; ok && !isStream(file) {
		return fmt.Errorf("-o %s: nothing is written as %s; use %s, or say --format text", escape.Printable(file), ending, instead)
	}
	return nil
}

// fewBytes is below any sensible budget: whoever asks for less forgot the unit.
const fewBytes = 4 << 10

// warnedBudget reads a budget, and warns of one that seems to want a unit.
func warnedBudget(words string, stderr io.Writer) (report.Bytes, error) {
	b, err := report.ParseBytes(words)
	if err == nil && b > 0 && b < fewBytes {
		fmt.Fprintf(stderr, "weightprint: warning: --budget %s means %d bytes; for mebibytes write %dMiB\n", words, int64(b), int64(b))
	}
	return b, err
}

// completes lets a shell complete a flag's words.
func completes(c *cobra.Command, flag string, words []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // no such flag
	}
}

// completesList does so where a flag takes several words with commas between them.
func completesList(c *cobra.Command, flag string, words []string) {
	err := c.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		for _, w := range words {
			if !slices.Contains(strings.Split(before, ","), w) {
				out = append(out, before+w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // no such flag
	}
}

// counted says in plain words that a verb has too many arguments or too few.
func counted(err error) string {
	words := strings.NewReplacer(" arg(s), only received ", " arguments, not ", " arg(s), received ", " arguments, not ", "accepts ", "takes ", "requires ", "takes ").Replace(err.Error())
	for _, one := range []string{"takes 1 ", "at least 1 "} {
		words = strings.Replace(words, one+"arguments", one+"argument", 1)
	}
	return words
}

// unknownVerb says what may be meant, on the line of the error, where a word is no verb.
func unknownVerb(line string) string {
	if !strings.HasPrefix(line, "unknown command") {
		return line
	}
	line, meant, found := strings.Cut(line, " Did you mean this? ")
	switch {
	case found:
		return line + "; did you mean " + strings.ReplaceAll(meant, " ", " or ") + "?"
	case !strings.Contains(line, ";"):
		return line + "; weightprint --help lists them"
	}
	return line
}

// wanted shows how a verb is called, with its arguments and without its flags.
func wanted(c *cobra.Command) string {
	return strings.TrimSpace(c.Parent().CommandPath() + " " + c.Use)
}

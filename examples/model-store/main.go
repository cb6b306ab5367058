// Command model-store keeps models as blobs that are named by their content, as Ollama
// and container registries do, and opens them in place: a store of one's own is a
// source.Folder. Values that are there already are not stored again, whatever file they
// come in.
//
//	go run ./examples/model-store store/ base/ fine-tune.gguf
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run adds models and says of each what the store knew of it.
func run(ctx context.Context, args []string, w io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: model-store STORE MODEL…")
	}
	s, err := openStore(args[0])
	if err != nil {
		return err
	}
	for _, ref := range args[1:] {
		words, err := s.add(ctx, ref)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s\n", ref, words)
	}
	return nil
}

// add stores a model unless its values are there, and names its relatives in the store.
func (s *store) add(ctx context.Context, ref string) (string, error) {
	m, err := formats.Open(ctx, ref, nil)
	if err != nil {
		return "", err
	}
	defer m.Close()
	root, err := fingerprint.Root(ctx, m)
	if err != nil {
		return "", err
	}
	for _, held := range s.models {
		if held.Root == root.String() {
			return "the values of " + held.Name + " already", nil
		}
	}
	words := "stored"
	for _, held := range s.models {
		relation, err := s.relation(ctx, held, m)
		if err != nil {
			return "", err
		}
		words += fmt.Sprintf("; %s with %s", relation, held.Name)
	}
	return words, s.keep(ref, root.String(), m)
}

// relation compares a stored model with one that is open.
func (s *store) relation(ctx context.Context, held model, m *formats.Checkpoint) (string, error) {
	c, err := formats.OpenFolder(ctx, &folder{store: s, model: held}, "", nil)
	if err != nil {
		return "", err
	}
	defer c.Close()
	r, err := report.Build(ctx, report.FromCheckpoint(ctx, c), report.FromCheckpoint(ctx, m), nil)
	if err != nil {
		return "", err
	}
	return string(r.Verdict.Relation), nil
}

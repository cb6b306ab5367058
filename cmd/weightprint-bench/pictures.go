package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/lineage"
)

func picturesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pictures DIR",
		Short: "draw the pictures of the README from the JSON files beside them",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return drawPictures(args[0], args[0]) },
	}
}

// drawings are the pictures by file; each is drawn from a JSON file of the same
// folder.
var drawings = []struct {
	from, to string
	draw     func(io.Reader, io.Writer) error
}{
	{"disguised.json", "controls.svg", func(r io.Reader, w io.Writer) error { return drawReport(r, w, "agreement of mlp (anchored)") }},
	{"tree.json", "tree.svg", drawTree},
}

// drawPictures draws all pictures from one folder into another.
func drawPictures(from, to string) error {
	for _, d := range drawings {
		in, err := os.Open(filepath.Join(from, d.from))
		if err != nil {
			return err
		}
		var b strings.Builder
		err = d.draw(in, &b)
		in.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", d.from, err)
		}
		if err := os.WriteFile(filepath.Join(to, d.to), []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// drawReport draws the picture of a report whose title ends so.
func drawReport(in io.Reader, out io.Writer, title string) error {
	r, err := report.ReadJSON(in)
	if err != nil {
		return err
	}
	for _, p := range html.Pictures(r) {
		if strings.HasSuffix(p.Title, title) {
			return p.WriteSVG(out)
		}
	}
	return fmt.Errorf("no picture is called %q", title)
}

func drawTree(in io.Reader, out io.Writer) error {
	var g lineage.Graph
	if err := json.NewDecoder(in).Decode(&g); err != nil {
		return err
	}
	return g.WriteSVG(out)
}

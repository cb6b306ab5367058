//go:build manual

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/weightprint/weightprint/report"
)

func init() { further = append(further, manCommand) }

// manCommand writes the manual for packagers; people read --help.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "write a man page for every verb into a folder",
		Long: `man writes a man page for every verb into a folder, which is made where it is
missing. SOURCE_DATE_EPOCH dates the pages, so that a release can be built again
bit by bit. Completions come from weightprint completion.`,
		Example: "  weightprint man share/man/man1",
		Hidden:  true,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := os.MkdirAll(a[0], 0o755); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			return pages(c, root, a[0])
		},
	}
}

// plainly keeps a text from being read as markup.
var plainly = strings.NewReplacer("[", `\[`, "]", `\]`, "<", `\<`, "*", `\*`, "_", `\_`)

// pages writes the page of a verb and of those below it.
func pages(c, verb *cobra.Command, dir string) error {
	for _, v := range verb.Commands() {
		if !v.IsAvailableCommand() || v.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := pages(c, v, dir); err != nil {
			return err
		}
	}
	to, err := destine(c, nil, filepath.Join(dir, strings.ReplaceAll(verb.CommandPath(), " ", "-")+".1"), isManPage)
	if err != nil {
		return err
	}
	verb.Long = plainly.Replace(verb.Long)
	return to.write(func(w io.Writer) error {
		return doc.GenMan(verb, &doc.GenManHeader{Section: "1", Source: "weightprint " + report.Version(), Manual: "weightprint"}, w)
	})
}

func isManPage(head []byte) bool {
	return bytes.HasPrefix(head, []byte(".nh\n.TH \"WEIGHTPRINT")) || bytes.HasPrefix(head, []byte(".nh\n.TH WEIGHTPRINT"))
}

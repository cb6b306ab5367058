package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/measured"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/internal/tested"
)

// named tells, in words, that the hub lists the files of both subjects with the
// same SHA-256, so that nothing needs to be read; "" where it does not, or where
// the caller asks for more than the hub's word: with a nonce, digests or the full
// budget or depth everything is read as ever. Only the listing of the hub that the
// user has set counts: anybody can name a file, or answer from a server of his own.
func (x *opened) named() string {
	if x.options.Nonce != "" || x.options.Pin || x.options.Budget == Full || x.options.Depth == Deep || x.options.dated() {
		return ""
	}
	var sums [2][]string
	for i, in := range x.in {
		if in.Checkpoint == nil || in.Checkpoint.Component != "" {
			return ""
		}
		if sums[i] = listedSums(in.Checkpoint); len(sums[i]) == 0 {
			return ""
		}
	}
	if !slices.Equal(sums[0], sums[1]) {
		return ""
	}
	return fmt.Sprintf("the hub lists the same SHA-256 for each of the %d files of weights on both sides; none of their bytes were compared", len(sums[0]))
}

// listedSums are the digests of a checkpoint's files in order, none where the hub
// does not list all of them.
func listedSums(c *formats.Checkpoint) (sums []string) {
	for _, f := range c.Files() {
		if !f.Identity.Listed {
			return nil
		}
		sums = append(sums, strings.ToLower(f.Identity.SHA256))
	}
	slices.Sort(sums)
	return sums
}

// byName makes the report of subjects whose files are the same by the hub's word.
func (x *opened) byName(ctx context.Context) (*Report, error) {
	p := planned.Of(aligned.New(x.sides(), x.options.Nonce), x.extent())
	p.Whole = false
	v := &read.Values{Plan: p, Warnings: []string{"the digests are the hub's word: with --nonce, --pin or --budget full the files are read and their bytes held against them"}}
	d, err := decide(ctx, x, v, x.facts)
	if err != nil {
		return nil, err
	}
	return describe(x, v, &tested.Tests{}, &measured.Measures{}, measured.Pictures{}, d, nil), nil
}

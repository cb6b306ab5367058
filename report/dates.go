package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/verdict"
)

// Date says that something which commits to a model existed by a time. Package
// dated makes dates of time-stamp tokens and checks them; here they are held
// against the bytes of the subjects.
type Date struct {
	File      string              `json:"file"`              // of the token, without folders
	Object    string              `json:"object"`            // what was stamped
	By        verdict.Time        `json:"by"`                // it existed by then, the accuracy of the clock included
	From      verdict.Time        `json:"from"`              // the clock showed no less, likewise
	Authority string              `json:"authority"`         // who says so
	Root      *fingerprint.Digest `json:"root,omitempty"`    // values that it commits to
	Files     []string            `json:"files,omitempty"`   // SHA-256 of files that it commits to
	Ignored   string              `json:"ignored,omitempty"` // why it counts for nothing; absent where it counts
	Values    bool                `json:"values,omitempty"`  // all values of both subjects were read for it

	// Opens tells whether a commitment is to the values of a model. Nil where
	// Root and Files say all.
	Opens func(context.Context, tensor.Model) (bool, error) `json:"-"`
}

// counts tells whether a date can bind a subject.
func (d *Date) counts() bool { return d.Ignored == "" }

// dated tells whether any date may bind a subject: files are then digested whole.
func (o *Options) dated() bool {
	return slices.ContainsFunc(o.Dates, func(d Date) bool { return d.counts() })
}

// held is dates as they were held against two subjects.
type held struct {
	dates    []Date
	found    verdict.Dates
	warnings []string
}

// date holds the dates against both subjects, and reads for it what was not read.
func (x *opened) date(ctx context.Context, p *planned.Plan, subjects *[2]Subject) (*held, error) {
	h := &held{dates: slices.Clone(x.options.Dates), found: verdict.Dates{NoAccess: x.options.NoAccess, Disclosed: x.options.Disclosed}}
	for i := range subjects {
		if err := h.committed(ctx, x.in[i].Model, p.Sides[i].Model, &subjects[i]); err != nil {
			return nil, err
		}
	}
	for i := range subjects {
		h.found.By[i], h.found.From[i] = subjects[i].dated(h.dates)
	}
	h.found.Variants = variants(h.dates, subjects)
	for k := range h.dates {
		d := &h.dates[k]
		switch {
		case !d.counts():
			h.warnings = append(h.warnings, fmt.Sprintf("%s: %s; it counts for nothing", d.File, d.Ignored))
		case !subjects[0].touched(d) && !subjects[1].touched(d):
			h.warnings = append(h.warnings, fmt.Sprintf("%s: %s commits to neither A nor B; it counts for nothing", d.File, d.Object))
		}
	}
	return h, nil
}

// committed reads all values of a subject where a date commits to values, and opens
// commitments with them: files as they were opened, values through their account.
func (h *held) committed(ctx context.Context, files, values tensor.Model, s *Subject) error {
	for k := range h.dates {
		d := &h.dates[k]
		if !d.counts() || d.Root == nil && d.Opens == nil && !d.Values {
			continue
		}
		d.Values = true
		if s.Root == nil {
			root, err := fingerprint.Root(ctx, values)
			if err != nil {
				return err
			}
			s.Root = &root
		}
		if d.Opens == nil {
			continue
		}
		same, err := d.Opens(ctx, files)
		if err != nil {
			return err
		}
		if same {
			d.Root = s.Root
		}
	}
	return nil
}

// touched tells whether a date commits to the values of a subject or to one of its
// files.
func (s *Subject) touched(d *Date) bool {
	return s.byRoot(d) || slices.ContainsFunc(s.Files, func(f File) bool { return d.lists(f) })
}

func (s *Subject) byRoot(d *Date) bool { return s.Root != nil && d.Root != nil && *s.Root == *d.Root }

// lists tells whether a date commits to a file that was read whole.
func (d *Date) lists(f File) bool { return f.SHA256 != "" && slices.Contains(d.Files, f.SHA256) }

// dated is the time by which a subject existed, and the least that the clock behind
// it showed: by its values, or by all of its files, each at its earliest date.
// Empty where no date binds it.
func (s *Subject) dated(all []Date) (by, from verdict.Time) {
	by, from = earliest(all, s.byRoot)
	var filesBy, filesFrom verdict.Time
	for _, f := range s.Files {
		t, u := earliest(all, func(d *Date) bool { return d.lists(f) })
		if t == "" {
			return by, from
		}
		filesBy, filesFrom = max(filesBy, t), max(filesFrom, u)
	}
	if by == "" || filesBy == "" {
		return by + filesBy, from + filesFrom
	}
	return min(by, filesBy), min(from, filesFrom)
}

// earliest are the smallest times of the dates that fit, empty without any.
func earliest(all []Date, fits func(*Date) bool) (by, from verdict.Time) {
	for k := range all {
		switch x := &all[k]; {
		case !x.counts() || !fits(x):
		case by == "":
			by, from = x.By, x.From
		default:
			by, from = min(by, x.By), min(from, x.From)
		}
	}
	return by, from
}

// variants counts the files that dates of the subjects commit to beside the
// subjects' own: whoever lists many could have drawn one that fits.
func variants(all []Date, subjects *[2]Subject) int {
	own, other := map[string]bool{}, map[string]bool{}
	for i := range subjects {
		for _, f := range subjects[i].Files {
			own[f.SHA256] = true
		}
	}
	for k := range all {
		x := &all[k]
		if !x.counts() || !subjects[0].touched(x) && !subjects[1].touched(x) {
			continue
		}
		for _, sum := range x.Files {
			if !own[sum] {
				other[sum] = true
			}
		}
	}
	return len(other)
}

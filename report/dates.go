package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
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

// date holds the dates against both subjects, and reads for it what was not read.
func (r *run) date(ctx context.Context, subjects *[2]Subject) error {
	r.o.Dates = slices.Clone(r.o.Dates)
	d := verdict.Dates{NoAccess: r.o.NoAccess, Disclosed: r.o.Disclosed}
	for i := range subjects {
		if err := r.committed(ctx, i, &subjects[i]); err != nil {
			return err
		}
	}
	for i := range subjects {
		d.By[i], d.From[i] = subjects[i].dated(r.o.Dates)
	}
	d.Variants = variants(r.o.Dates, subjects)
	for k := range r.o.Dates {
		x := &r.o.Dates[k]
		switch {
		case !x.counts():
			r.warn = append(r.warn, fmt.Sprintf("%s: %s; it counts for nothing", x.File, x.Ignored))
		case !subjects[0].touched(x) && !subjects[1].touched(x):
			r.warn = append(r.warn, fmt.Sprintf("%s: %s commits to neither A nor B; it counts for nothing", x.File, x.Object))
		}
	}
	r.facts.Dates = d
	return nil
}

// committed reads all values of a subject where a date commits to values, and
// opens commitments with them.
func (r *run) committed(ctx context.Context, i int, s *Subject) error {
	for k := range r.o.Dates {
		x := &r.o.Dates[k]
		if !x.counts() || x.Root == nil && x.Opens == nil && !x.Values {
			continue
		}
		x.Values = true
		if s.Root == nil {
			root, err := fingerprint.Root(ctx, r.in[i].Model)
			if err != nil {
				return err
			}
			s.Root = &root
		}
		if x.Opens == nil {
			continue
		}
		same, err := x.Opens(ctx, r.models[i])
		if err != nil {
			return err
		}
		if same {
			x.Root = s.Root
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

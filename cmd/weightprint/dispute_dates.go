package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/report/dispute"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

// olderDates says of every commitment, manifest or file that a party put on record with
// a time stamp whose model it is, and by when it existed. What commits to values
// alone needs the models.
func olderDates(ctx context.Context, s *dispute.State, t *dispute.Transcript, dir string, roots *x509.CertPool, models []string) (out []string, err error) {
	for i, e := range t.Entries {
		if len(e.Exhibits) == 0 {
			continue
		}
		var files []string
		for _, x := range e.Exhibits {
			if _, err := getExhibit(dir, x, i+1); err != nil {
				return nil, err
			}
			files = append(files, exhibitPath(dir, x.SHA256))
		}
		dates, err := dated.Read(files, roots)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: exhibits: %w", dispute.ErrForged, i+1, err)
		}
		for _, d := range dates {
			whose, err := binds(ctx, s, &d, models)
			if err != nil {
				return nil, err
			}
			out = append(out, olderLine(e.Author, &d, whose))
		}
	}
	return out, nil
}

func olderLine(by dispute.Author, d *report.Date, whose []string) string {
	switch {
	case d.Ignored != "":
		return fmt.Sprintf("%s shows %s: counts for nothing, %s", by, escape.Printable(d.Object), d.Ignored)
	case len(whose) == 0:
		return fmt.Sprintf("%s shows %s, which existed by %s (%s); it is of no file on record here", by, escape.Printable(d.Object), d.By, escape.Printable(d.Authority))
	}
	return fmt.Sprintf("%s shows %s, which existed by %s (%s): of %s", by, escape.Printable(d.Object), d.By, escape.Printable(d.Authority), whose)
}

// binds lists the parties whose model a date is of: by the digests of all files that
// the other side does not have too, or by its values, where the models are at hand.
func binds(ctx context.Context, s *dispute.State, d *report.Date, models []string) (out []string, err error) {
	own, err := ownFiles(s)
	if err != nil {
		return nil, err
	}
	for i, who := range dispute.Sides {
		missing := slices.ContainsFunc(own[who], func(sum string) bool { return !slices.Contains(d.Files, sum) })
		same := len(own[who]) > 0 && !missing
		if !same && len(models) == 2 {
			if same, err = sameValues(ctx, d, models[i]); err != nil {
				return nil, err
			}
		}
		if same {
			out = append(out, string(who))
		}
	}
	return out, nil
}

// ownFiles are the files of each party that opened, without those that both have:
// a configuration or a tokenizer says nothing. Where all are common, all count.
func ownFiles(s *dispute.State) (map[dispute.Author][]string, error) {
	all := map[dispute.Author][]string{}
	for who, x := range s.Opened {
		m, err := oms.FromStatement(x.Manifest)
		if err != nil {
			return nil, err
		}
		all[who] = slices.Collect(maps.Values(m.SHA256()))
	}
	own := map[dispute.Author][]string{}
	for i, who := range dispute.Sides {
		other := all[dispute.Sides[1-i]]
		own[who] = slices.DeleteFunc(slices.Clone(all[who]), func(sum string) bool { return slices.Contains(other, sum) })
		if len(own[who]) == 0 {
			own[who] = all[who]
		}
	}
	return own, nil
}

// sameValues tells whether a date is over the values of a model.
func sameValues(ctx context.Context, d *report.Date, ref string) (bool, error) {
	if d.Opens == nil && d.Root == nil || d.Ignored != "" {
		return false, nil
	}
	m, err := formats.Open(ctx, ref, nil)
	if err != nil {
		return false, err
	}
	defer m.Close()
	if d.Opens != nil {
		return d.Opens(ctx, m)
	}
	root, err := fingerprint.Root(ctx, m)
	return err == nil && root == *d.Root, err
}

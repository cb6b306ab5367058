package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report/dispute"
)

// replay is what replaying a dispute with its exhibits comes to.
type replay struct {
	*dispute.State
	report []byte         // nil where nothing was compared
	spans  []dispute.Span // of the entries
	stamps []dispute.Stamp
	limit  time.Time // before which commitments had to be made; zero for none
	older  []string  // what commitments made before the dispute show
}

// verifyDispute replays a transcript with its exhibits and, where both models are
// given, makes the comparison anew.
func (f *verifyFlags) verifyDispute(c *cobra.Command, file string, models []string) error {
	if len(models) != 0 && len(models) != 2 {
		return usageError{errors.New("verify: a transcript takes two models, A and B, or none")}
	}
	if err := takes(c, "a transcript", "roots", "disclosed", "policy", "program"); err != nil {
		return err
	}
	t, err := readTranscript(file)
	if err != nil {
		return err
	}
	x, err := f.replayed(c.Context(), t, filepath.Dir(file), models)
	if errors.Is(err, dispute.ErrForged) {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s\n", oneLine(err))
		return exitCode(exitMismatch)
	}
	if err != nil {
		return err
	}
	if len(models) == 2 && x.report == nil {
		return usageError{errors.New("verify: no comparison is on record; give no models")}
	}
	if len(models) == 2 {
		if err := f.verifyReport(c, file, x.report, models); err != nil {
			return err
		}
	}
	return x.write(c.OutOrStdout(), t)
}

// replayed replays a transcript and holds its exhibits against it.
func (f *verifyFlags) replayed(ctx context.Context, t *dispute.Transcript, dir string, models []string) (x *replay, err error) {
	x = &replay{}
	if x.State, err = t.Replay(ctx); err != nil {
		return nil, err
	}
	roots, err := f.dated.authorities()
	if err != nil {
		return nil, err
	}
	if err := x.date(t, dir, roots); err != nil {
		return nil, err
	}
	if x.limit, err = f.limit(x.State); err != nil {
		return nil, err
	}
	if x.older, err = olderDates(ctx, x.State, t, dir, roots, models); err != nil {
		return nil, err
	}
	if x.Run == nil {
		return x, nil
	}
	if x.report, err = getExhibit(dir, x.Run.Report, len(t.Entries)); err != nil {
		return nil, err
	}
	return x, x.CheckReport(x.report)
}

// date reads the time stamps over the transcript.
func (x *replay) date(t *dispute.Transcript, dir string, roots *x509.CertPool) error {
	for i, e := range t.Entries {
		for _, token := range e.Tokens {
			der, err := getExhibit(dir, token, i+1)
			if err != nil {
				return err
			}
			s, err := t.Stamp(i, token, der, roots)
			if err != nil {
				return err
			}
			x.stamps = append(x.stamps, s)
		}
	}
	x.spans = t.Spans(x.stamps)
	return x.Foreseen(x.spans)
}

// limit is the time before which commitments had to be made: that of --disclosed,
// or that of the beacon.
func (f *verifyFlags) limit(s *dispute.State) (time.Time, error) {
	stated := s.Init.BeaconTime
	if f.disclosed != "" {
		var err error
		if stated, err = timeOf(f.disclosed); err != nil {
			return time.Time{}, usageError{fmt.Errorf("--disclosed: %w", err)}
		}
	}
	if stated == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, string(stated))
}

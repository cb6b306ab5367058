package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/pflag"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/report/verdict"
)

// datedFlags are the flags of verbs that take dates.
type datedFlags struct {
	files     []string
	roots     string
	noAccess  bool
	disclosed string
}

func (f *datedFlags) flags(fl *pflag.FlagSet) {
	f.tokens(fl)
	fl.BoolVar(&f.noAccess, "assume-no-access", false, "state that whoever made the subject dated earlier had no access to the other before: needed for a direction, shown by nothing")
	fl.StringVar(&f.disclosed, "disclosed", "", "state the time before which neither subject was available to the other side, such as 2026-03-01 or 2026-03-01T12:00:00Z")
}

// tokens are the flags that name time stamps.
func (f *datedFlags) tokens(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.files, "dated", nil, "a time-stamp token (RFC 3161), or the commitment, fingerprint, manifest or signed statement that one stamps (repeatable)")
	fl.StringVar(&f.roots, "roots", "", "root certificates of the authorities whose tokens count, a PEM file")
}

// apply checks the flags, reads the dates and puts them into options.
func (f *datedFlags) apply(o *report.Options) error {
	o.NoAccess = f.noAccess
	switch {
	case f.roots != "" && len(f.files) == 0:
		return usageError{errors.New("--roots says nothing without --dated")}
	case f.disclosed != "" && len(f.files) == 0:
		return usageError{errors.New("--disclosed says nothing without --dated")}
	case f.noAccess && len(f.files) == 0:
		return usageError{errors.New("--assume-no-access gives no direction without --dated")}
	}
	var err error
	if o.Disclosed, err = timeOf(f.disclosed); err != nil {
		return usageError{fmt.Errorf("--disclosed: %w", err)}
	}
	o.Dates, err = f.read()
	return err
}

func (f *datedFlags) read() ([]report.Date, error) {
	if len(f.files) == 0 {
		return nil, nil
	}
	roots, err := f.authorities()
	if err != nil {
		return nil, err
	}
	all, err := dated.Read(f.files, roots)
	if errors.Is(err, fs.ErrNotExist) { // which elsewhere speaks of models
		return nil, fmt.Errorf("--dated: %s", oneLine(err))
	}
	return all, err
}

// authorities reads the roots of --roots; nil without the flag.
func (f *datedFlags) authorities() (*x509.CertPool, error) {
	if f.roots == "" {
		return nil, nil
	}
	text, err := readSmall(f.roots)
	if err != nil {
		return nil, err
	}
	roots, err := dated.ParseRoots(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.roots, err)
	}
	return roots, err
}

// timeOf reads a day or a time; a day means its beginning in UTC.
func timeOf(s string) (verdict.Time, error) {
	if s == "" {
		return "", nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return verdict.Time(t.UTC().Truncate(time.Second).Format(time.RFC3339)), nil
		}
	}
	return "", fmt.Errorf("%q is neither a day such as 2026-03-01 nor a time such as 2026-03-01T12:00:00Z", s)
}

// nonceBytes make a nonce that nobody can foresee or try out.
const nonceBytes = 16

// nonce is the one that was given or, for results that are shown to others, one
// that is drawn now.
func nonce(given string, draw bool) string {
	if given != "" || !draw {
		return given
	}
	var b [nonceBytes]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

// unchecked says where a report made anew took its dates from the report.
func (f *datedFlags) unchecked(w io.Writer, o report.Options) {
	if len(o.Dates) > 0 && len(f.files) == 0 {
		fmt.Fprintln(w, "note: the dates are as the report states them; the models were held against what they commit to, their tokens were not looked at: give those with --dated and --roots")
	}
}

package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/verdict"
)

// A model in several files is dated when all of them are; by its values at once.
func TestEveryFileMustBeDated(t *testing.T) {
	one, two, other := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	root, foreign := fingerprint.Digest{1}, fingerprint.Digest{2}
	s := Subject{Root: &root, Files: []File{{SHA256: one}, {SHA256: two}}}
	at := func(day string, files ...string) Date {
		return Date{By: verdict.Time("2024-03-" + day), From: verdict.Time("2024-03-" + day), Files: files}
	}
	values := func(day string, r fingerprint.Digest) Date {
		d := at(day)
		d.Root = &r
		return d
	}
	ignored := at("01", one, two)
	ignored.Ignored = "no roots"
	for name, c := range map[string]struct {
		dates []Date
		by    verdict.Time
	}{
		"none":                           {nil, ""},
		"one of two files":               {[]Date{at("01", one)}, ""},
		"both, in two lists":             {[]Date{at("01", one), at("05", two, other)}, "2024-03-05"},
		"both, one of them twice":        {[]Date{at("01", one), at("05", one, two), at("03", two)}, "2024-03-03"},
		"another model's":                {[]Date{at("01", other), values("02", foreign)}, ""},
		"values":                         {[]Date{values("04", root), values("06", root)}, "2024-03-04"},
		"files before values":            {[]Date{values("04", root), at("02", one, two)}, "2024-03-02"},
		"values before files":            {[]Date{values("04", root), at("07", one, two)}, "2024-03-04"},
		"one file, and values later":     {[]Date{at("01", one), values("04", root)}, "2024-03-04"},
		"by somebody nobody vouches for": {[]Date{ignored}, ""},
	} {
		by, from := s.dated(c.dates)
		require.Equal(t, c.by, by, name)
		require.Equal(t, c.by, from, name)
	}
	unread := Subject{Files: []File{{}, {}}}
	by, _ := unread.dated([]Date{{By: "2024-03-01", Files: []string{""}}})
	require.Empty(t, by, "what was not read whole is bound by nothing")
}

func TestVariantsAreCounted(t *testing.T) {
	own, a, b := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	two := &[2]Subject{{Files: []File{{SHA256: own}}}, {}}
	require.Equal(t, 2, variants([]Date{{Files: []string{own, a, b}}, {Files: []string{own, b}}}, two))
	require.Equal(t, 0, variants([]Date{{Files: []string{a, b}}}, two), "a list of other models says nothing")
}

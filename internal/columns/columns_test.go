package columns

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// Rows wrap beside their label; words too wide for their place stand further left,
// and words too wide for the text are broken.
func TestRow(t *testing.T) {
	x := &Text{Columns: 24}
	x.Row("label", "one two three")
	x.Row("digest", strings.Repeat("d", 20))
	x.Row("", strings.Repeat("e", 30))
	x.Row("none", "")
	require.Equal(t, "label         one two\n              three\ndigest\n    dddddddddddddddddddd\neeeeeeeeeeeeeeeeeeeeeeee\n              eeeeee\n", x.String())
}

func TestHang(t *testing.T) {
	x := &Text{Columns: 10}
	x.Hang("A  ", "a  name")
	x.Hang("A  ", "one two three")
	require.Equal(t, "A  a  name\nA  one two\n   three\n", x.String())
}

// What is clipped takes no more rows than it may, and is left alone where it fits.
func TestClip(t *testing.T) {
	for _, words := range []string{"", "short", strings.Repeat("word ", 60), strings.Repeat("x", 300), "a " + strings.Repeat("y", 80)} {
		for rows := 1; rows < 5; rows++ {
			got := Clip(words, rows)
			require.LessOrEqual(t, len(Wrap(got, width-Indent)), rows, "%q", got)
			for _, line := range Wrap(got, width-Indent) {
				require.LessOrEqual(t, utf8.RuneCountInString(line), width-Indent)
			}
			if got != words {
				require.True(t, strings.HasSuffix(got, " …"), "%q", got)
			}
		}
	}
	require.Equal(t, "short words", Clip("short words", 1))
}

var three = []Column{{Head: "name", Width: 20, Least: 6}, {Head: "n", Width: 4, Right: true, Drop: 1}, {Head: "p", Width: 5, Right: true}}

// A table gives up columns and cuts names where it is narrow; it never cuts a
// number.
func TestTable(t *testing.T) {
	rows := [][]string{{"a-name-of-26-letters-is-it", "12", "-5.0"}, {"b", "123456", "-12345678"}}
	for _, c := range []struct {
		columns int
		want    string
	}{
		{100, "name                            n         p\na-name-of-26-letters-is-it     12      -5.0\nb                          123456 -12345678\n"},
		{30, "name               n         p\na-name…-is-it     12      -5.0\nb             123456 -12345678\n"},
		{20, "name               p\na-nam…s-it      -5.0\nb          -12345678\n"},
	} {
		x := &Text{Columns: c.columns}
		x.Table(three, rows, nil)
		require.Equal(t, c.want, x.String())
	}
}

// Digits stand in threes, from the right.
func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		require.Equal(t, want, Grouped(n))
	}
	require.Equal(t, "up to 2", Range(0, 2))
	require.Equal(t, "above 100, up to 1,000", Range(100, 1000))
	require.Equal(t, "above 1,000,000", Range(1000000, 0))
}

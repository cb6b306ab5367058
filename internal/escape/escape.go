package escape

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Markdown makes a string from a file harmless in Markdown: control characters
// are spelled out and all punctuation with a meaning is escaped.
func Markdown(s string) string {
	var b strings.Builder
	for _, c := range Printable(s) {
		if strings.ContainsRune("\\`*_{}[]()#+!|<>&~=@", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// JSON writes control and format characters as \u escapes. In
// JSON they can only stand inside strings.
func JSON(b []byte) []byte {
	if !bytes.ContainsFunc(b, invisible) {
		return b
	}
	var out bytes.Buffer
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case !invisible(r):
			out.Write(b[:n])
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
		b = b[n:]
	}
	return out.Bytes()
}

// invisible tells the characters that are written as escapes: DEL, the last of
// ASCII, is one.
func invisible(r rune) bool { return r >= unicode.MaxASCII && !unicode.IsGraphic(r) }

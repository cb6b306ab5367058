package mutants

import (
	"bytes"
	"encoding/json"
)

// jsonTree takes a JSON text apart; what is none stays whole.
func jsonTree(b []byte) *part {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	p, err := jsonValue(d)
	if err != nil || p.kids == nil {
		return leaf(b)
	}
	return p
}

func jsonValue(d *json.Decoder) (*part, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return jsonLeaf(t)
	}
	p := &part{kids: []*part{}}
	for d.More() {
		var key *part
		if open == '{' {
			if key, err = jsonValue(d); err != nil {
				return nil, err
			}
		}
		value, err := jsonValue(d)
		if err != nil {
			return nil, err
		}
		if key != nil {
			value = &part{kids: []*part{key, value}, wrap: between("", ":", "")}
		}
		p.kids = append(p.kids, value)
	}
	if _, err = d.Token(); err != nil {
		return nil, err
	}
	p.wrap = between(open.String(), ",", string("}]"[bytes.IndexByte([]byte("{["), byte(open))]))
	return p, nil
}

func jsonLeaf(t json.Token) (*part, error) {
	b, err := json.Marshal(t)
	return leaf(b), err
}

// between joins kids as JSON does. A lie leaves the end away.
func between(begin, comma, end string) func([][]byte, int64) []byte {
	return func(kids [][]byte, lie int64) []byte {
		out := append([]byte(begin), bytes.Join(kids, []byte(comma))...)
		if lie != 0 {
			return out
		}
		return append(out, end...)
	}
}

// split cuts a text before every byte of a set: tags, attributes and values of
// XML, lines and members of Python's literals.
func split(b []byte, before string) *part {
	p := &part{kids: []*part{}}
	from := 0
	for i := 1; i <= len(b); i++ {
		if i == len(b) || bytes.IndexByte([]byte(before), b[i]) >= 0 {
			p.kids = append(p.kids, leaf(b[from:i]))
			from = i
		}
	}
	return p
}

// xmlTree takes XML apart into elements, each of its tags and what they hold.
func xmlTree(b []byte) *part {
	p, _ := xmlInside(b, 0)
	return p
}

// xmlInside reads up to the end of an element, and returns what is behind it.
func xmlInside(b []byte, depth int) (*part, []byte) {
	p := &part{kids: []*part{}}
	for len(b) > 0 {
		end := bytes.IndexByte(b[1:], '<') + 1
		if end == 0 {
			end = len(b)
		}
		tag := b[:end]
		b = b[end:]
		if bytes.HasPrefix(tag, []byte("</")) {
			p.kids = append(p.kids, leaf(tag))
			return p, b
		}
		opened := split(tag, " >")
		if !bytes.HasPrefix(tag, []byte("<")) || bytes.HasPrefix(tag, []byte("<?")) || bytes.Contains(tag, []byte("/>")) || depth > deepest {
			p.kids = append(p.kids, opened)
			continue
		}
		var inside *part
		inside, b = xmlInside(b, depth+1)
		inside.kids = append([]*part{opened}, inside.kids...)
		p.kids = append(p.kids, inside)
	}
	return p, nil
}

package torch

func (m *machine) mark() error {
	s, err := grown(m, m.marks, 1, slotBytes)
	if err != nil {
		return err
	}
	m.marks = append(s, len(m.stack))
	return nil
}

// kept copies values off the stack.
func (m *machine) kept(items []value) ([]value, error) {
	if err := m.charge(objectBytes + slotBytes*int64(len(items))); err != nil {
		return nil, err
	}
	return append(make([]value, 0, len(items)), items...), nil
}

func (m *machine) tuple(n int) (err error) {
	var items []value
	if n < 0 {
		items, err = m.popMark()
	} else {
		items, err = m.pop(n)
	}
	if err != nil {
		return err
	}
	if items, err = m.kept(items); err != nil {
		return err
	}
	return m.push(tuple(items))
}

func (m *machine) frozen() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if items, err = m.kept(items); err != nil {
		return err
	}
	return m.pushNew(&list{items}, objectBytes)
}

// append adds to a list or set.
func (m *machine) append(n int) error {
	items, onto, err := m.popTop(n)
	if err != nil {
		return err
	}
	switch l := onto.(type) {
	case *list:
		if l.items, err = grown(m, l.items, len(items), slotBytes); err != nil {
			return err
		}
		l.items = append(l.items, items...)
		return nil
	case *inert, *unread:
		return nil
	case *object:
		return m.hold(l, items)
	}
	return m.broken("a list to add to expected, found %s", describe(onto))
}

// set adds pairs to a dict.
func (m *machine) set(n int) error {
	items, onto, err := m.popTop(n)
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return m.broken("keys and values come in pairs, found %d", len(items))
	}
	switch d := onto.(type) {
	case *dict:
		return m.setItems(d, items)
	case *inert, *unread:
		return nil
	case *object:
		return m.hold(d, items)
	}
	return m.broken("a dict to set items of expected, found %s", describe(onto))
}

// hold keeps what is added to an object of an unknown class.
func (m *machine) hold(o *object, items []value) (err error) {
	if o.items, err = grown(m, o.items, len(items), slotBytes); err != nil {
		return err
	}
	o.items = append(o.items, items...)
	return nil
}

func (m *machine) setItems(d *dict, items []value) (err error) {
	if d.keys, err = grown(m, d.keys, len(items)/2, slotBytes); err != nil {
		return err
	}
	if d.values, err = grown(m, d.values, len(items)/2, slotBytes); err != nil {
		return err
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

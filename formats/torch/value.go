package torch

import (
	"fmt"

	"github.com/weightprint/weightprint/internal/escape"
)

// value is what the machine builds: nil, bool, int64, float64, string, tuple,
// *list, *dict, *global, *storage, *view, *unread, *object, or *inert.
type value any

type tuple []value

// list stands for lists and sets.
type list struct{ items []value }

// dict keeps its pairs in the order in which they were set. Keys may stand
// twice; whoever looks into it decides whether that matters.
type dict struct{ keys, values []value }

// inert is a value of no concern: a number that is too long, an object whose
// contents are dropped.
type inert struct{ what string }

// unset stands where the memo holds nothing.
type unset struct{}

// bytes the machine is charged for its objects, beside what they hold.
const (
	slotBytes   = 16
	objectBytes = 48
)

// describe names a value's kind for errors.
func describe(v value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return fmt.Sprintf("the truth value %v", v)
	case int64:
		return fmt.Sprintf("the number %d", v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case string:
		return fmt.Sprintf("the text %.60q", v)
	case tuple:
		return fmt.Sprintf("a tuple of %d", len(v))
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case *global:
		return "the name " + v.name
	case *storage:
		return "a storage"
	case *view:
		return "a tensor"
	case *inert:
		return v.what
	case *object:
		return "an object of " + escape.Printable(v.class)
	case *unread:
		return "a tensor that is not read"
	}
	return "nothing"
}

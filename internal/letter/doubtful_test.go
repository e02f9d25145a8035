package letter

import "testing"

// Lines below a whole one belong to the row above only where cells set in the middle, or at the bottom, of their rows can't look the same.
func TestLinesBetweenRowsBelongAboveOnlyWhenNothingElseIsPossible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wrapped []int // lines below each whole one
		want    bool
	}{
		{[]int{0, 0, 0}, true},
		{[]int{1, 1, 1}, true},
		{[]int{2, 1, 2, 2}, true},
		{[]int{0, 1}, true},
		{[]int{2}, true},
		{[]int{1, 1}, false},       // or one line, and three around their middle
		{[]int{1, 2, 1}, false},    // or one, three and three
		{[]int{1, 0}, false},       // or one line, and two set at the bottom
		{[]int{2, 1, 0, 0}, false}, // nothing below the last: set at the bottom
	} {
		if got := setAtTop(c.wrapped); got != c.want {
			t.Errorf("%v: %v, want %v", c.wrapped, got, c.want)
		}
	}
}

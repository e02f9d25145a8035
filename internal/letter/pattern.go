package letter

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A pattern is a regular expression that is compiled when it is first asked for, so that a child which opens a picture doesn't wait for a
// hundred rules about words, and that runs only over texts with one of the words that every match of it holds: nearly all lines of a letter
// have none of them.
type pattern struct {
	expr  string
	once  sync.Once
	re    *regexp.Regexp
	needs []string // in small letters, of two bytes at least; empty: nothing is known
	heads heads
	first *bytesSet // of an expression that matches at a text's beginning only: what it may begin with
}

// heads are the pairs of bytes with which needs begin, of each byte the last five bits: in them a small letter is its capital.
type heads [1024 / 64]uint64

func (h *heads) add(a, b byte) { i := pair(a, b); h[i/64] |= 1 << (i % 64) }

func (h *heads) has(i uint) bool { return h[i/64]&(1<<(i%64)) != 0 }

func pair(a, b byte) uint { return uint(a&31)<<5 | uint(b&31) }

// patterns are all of the package, for the test that holds them to what package regexp says.
var patterns []*pattern

func compile(expr string) *pattern {
	p := &pattern{expr: expr}
	patterns = append(patterns, p)
	return p
}

// may tells whether the pattern can match.
func (p *pattern) may(s string) bool {
	p.once.Do(func() {
		p.re = regexp.MustCompile(p.expr)
		if tree, err := syntax.Parse(p.expr, syntax.Perl); err == nil {
			tree = tree.Simplify()
			p.needs = needs(tree)
			if set, empty := firsts(tree); anchored(tree) && !empty {
				p.first = &set
			}
		}
		for _, n := range append(p.needs, longS, kelvin) {
			if len(n) < 2 {
				p.needs = nil
				break
			}
			p.heads.add(n[0], n[1])
		}
	})
	if p.first != nil && (s == "" || !p.first[s[0]]) {
		return false
	}
	if len(p.needs) == 0 {
		return true
	}
	for i := 1; i < len(s); i++ {
		if p.heads.has(pair(s[i-1], s[i])) && p.begins(s[i-1:]) {
			return true
		}
	}
	return false
}

// Two letters beyond ASCII fold into it (Unicode's CaseFolding.txt): (?i)s matches the long s, and (?i)k the sign of Kelvin.
const longS, kelvin = "\u017f", "\u212a"

func (p *pattern) begins(s string) bool {
	if strings.HasPrefix(s, longS) || strings.HasPrefix(s, kelvin) {
		return true
	}
	for _, n := range p.needs {
		if len(s) >= len(n) && strings.EqualFold(s[:len(n)], n) {
			return true
		}
	}
	return false
}

// impossible matches nothing, and says so at once.
var impossible = regexp.MustCompile(`[^\s\S]`)

// in is the expression to be run over a text.
func (p *pattern) in(s string) *regexp.Regexp {
	if p.may(s) {
		return p.re
	}
	return impossible
}

// The methods are those of regexp.Regexp. MatchString, which most rules call, saves even the run of what is impossible.

func (p *pattern) MatchString(s string) bool              { return p.may(s) && p.re.MatchString(s) }
func (p *pattern) FindString(s string) string             { return p.in(s).FindString(s) }
func (p *pattern) FindStringIndex(s string) []int         { return p.in(s).FindStringIndex(s) }
func (p *pattern) FindStringSubmatch(s string) []string   { return p.in(s).FindStringSubmatch(s) }
func (p *pattern) FindStringSubmatchIndex(s string) []int { return p.in(s).FindStringSubmatchIndex(s) }
func (p *pattern) FindAllString(s string, n int) []string { return p.in(s).FindAllString(s, n) }
func (p *pattern) FindAllStringIndex(s string, n int) [][]int {
	return p.in(s).FindAllStringIndex(s, n)
}
func (p *pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.in(s).FindAllStringSubmatch(s, n)
}
func (p *pattern) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return p.in(s).FindAllStringSubmatchIndex(s, n)
}
func (p *pattern) ReplaceAllString(s, by string) string { return p.in(s).ReplaceAllString(s, by) }
func (p *pattern) ReplaceAllStringFunc(s string, by func(string) string) string {
	return p.in(s).ReplaceAllStringFunc(s, by)
}

// needs are strings of which every match of an expression holds at least one; none where that can't be told (as RE2's prefilter does).
func needs(re *syntax.Regexp) []string {
	if all := spellings(re); all != nil {
		return useful(all)
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return needs(re.Sub[0])
	case syntax.OpAlternate:
		var words []string
		for _, sub := range re.Sub {
			w := needs(sub)
			if w == nil {
				return nil
			}
			words = append(words, w...)
		}
		return useful(words)
	case syntax.OpConcat:
		var best []string
		var run = []string{""}
		for _, sub := range re.Sub {
			all := spellings(sub)
			if joined := product(run, all); all != nil && joined != nil {
				run = joined
				continue
			}
			best = better(better(best, useful(run)), needs(sub))
			run = []string{""}
		}
		return better(best, useful(run))
	}
	return nil
}

// spellings are all strings that an expression matches, in small letters; nil where they are many, or not known.
func spellings(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}
	case syntax.OpLiteral:
		return small(re.Rune)
	case syntax.OpCharClass:
		var all []string
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				one := small([]rune{r})
				if all = append(all, one...); one == nil || len(all) > 8 {
					return nil
				}
			}
		}
		return all
	case syntax.OpCapture:
		return spellings(re.Sub[0])
	case syntax.OpQuest:
		return either([]string{""}, spellings(re.Sub[0]))
	case syntax.OpAlternate:
		all := []string{}
		for _, sub := range re.Sub {
			if all = either(all, spellings(sub)); all == nil {
				return nil
			}
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			if all = product(all, spellings(sub)); all == nil {
				return nil
			}
		}
		return all
	}
	return nil
}

const mostNeeds = 64

// small writes runes in small letters. Beyond ASCII, letters have more than two forms.
func small(runes []rune) []string {
	var b strings.Builder
	for _, r := range runes {
		if s := string(r); s == longS || s == kelvin { // in the class of (?i)s and (?i)k; begins looks for them
			return []string{}
		}
		if r >= 0x80 && unicode.IsLetter(r) {
			return nil
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return []string{b.String()}
}

func either(a, b []string) []string {
	if a == nil || b == nil || len(a)+len(b) > mostNeeds {
		return nil
	}
	return append(a[:len(a):len(a)], b...)
}

func product(a, b []string) []string {
	if a == nil || b == nil || len(a)*len(b) > mostNeeds {
		return nil
	}
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, x+y)
		}
	}
	return out
}

// useful drops a set with the empty string, which every text holds, and of a set the words that hold another.
func useful(words []string) []string {
	var out []string
	for i, w := range words {
		if w == "" {
			return nil
		}
		held := false
		for k, v := range words {
			held = held || k != i && strings.Contains(w, v) && (v != w || k < i)
		}
		if !held {
			out = append(out, w)
		}
	}
	return out
}

// better is the set that fewer texts pass: that whose shortest word is longer.
func better(a, b []string) []string {
	if a == nil || b != nil && shortest(b) > shortest(a) {
		return b
	}
	return a
}

func shortest(words []string) int {
	n := 1 << 30
	for _, w := range words {
		n = min(n, len(w))
	}
	return n
}

type bytesSet [256]bool

func (b *bytesSet) add(from, to int) {
	for i := from; i <= to; i++ {
		b[i] = true
	}
}

// anchored tells whether an expression matches at the beginning of a text only.
func anchored(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText:
		return true
	case syntax.OpCapture, syntax.OpConcat:
		return anchored(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !anchored(sub) })
	}
	return false
}

// firsts are the bytes with which a match may begin, and whether it may be empty, so that what follows tells more.
func firsts(re *syntax.Regexp) (set bytesSet, empty bool) {
	join := func(sub *syntax.Regexp) bool {
		more, empty := firsts(sub)
		for i := range set {
			set[i] = set[i] || more[i]
		}
		return empty
	}
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEndText, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return set, true
	case syntax.OpLiteral:
		r := re.Rune[0]
		if r >= utf8.RuneSelf {
			set.add(utf8.RuneSelf, 255)
		} else if set[r] = true; re.Flags&syntax.FoldCase != 0 {
			set[unicode.ToLower(r)], set[unicode.ToUpper(r)] = true, true
			set[longS[0]], set[kelvin[0]] = true, true
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			set.add(int(min(re.Rune[i], utf8.RuneSelf)), int(min(re.Rune[i+1], utf8.RuneSelf)))
		}
		if set[utf8.RuneSelf] {
			set.add(utf8.RuneSelf, 255)
		}
	case syntax.OpCapture, syntax.OpPlus:
		empty = join(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		join(re.Sub[0])
		empty = true
	case syntax.OpConcat:
		empty = !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !join(sub) })
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			empty = join(sub) || empty
		}
	default:
		set.add(0, 255)
	}
	return set, empty
}

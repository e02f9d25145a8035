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
// hundred rules about words, and that runs only where it can match: over texts with one of the words that every match holds, and, where every
// match begins with a known word, from such a word on. Nearly all lines of a letter have none of them.
type pattern struct {
	expr   string
	once   sync.Once
	re     *regexp.Regexp
	here   func() *regexp.Regexp // matches behind one character, so that \b sees what stands before
	needs  wordSet               // every match holds one of them
	starts wordSet               // every match begins with one of them
	digit  bool                  // every match holds a digit
}

// patterns are all of the package, for the test that holds them to what package regexp says.
var patterns []*pattern

func compile(expr string) *pattern {
	p := &pattern{expr: expr}
	patterns = append(patterns, p)
	return p
}

func (p *pattern) prepare() {
	p.re = regexp.MustCompile(p.expr)
	p.here = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?s:.)(?:` + p.expr + `)`) })
	tree, _ := syntax.Parse(p.expr, syntax.Perl) // it has just been compiled
	tree = tree.Simplify()
	p.needs, p.digit = newWordSet(needs(tree)), needsDigit(tree)
	if set, empty, known := starts(tree); known && !empty && !positioned(tree) {
		p.starts = newWordSet(set)
	}
}

// may tells whether the pattern can match.
func (p *pattern) may(s string) bool {
	p.once.Do(p.prepare)
	if p.digit && !strings.ContainsAny(s, "0123456789") {
		return false
	}
	return !p.needs.known() || p.needs.next(s, 0) >= 0
}

// mostTries bounds what a text can cost that was written for it: one that tries at every word.
const mostTries = 100

// look tells what to run over which text to find the first match, nil where there is none: over s, or, where a match is known to begin, over
// what follows the character before it.
func (p *pattern) look(s string) (re *regexp.Regexp, text string, begins int) {
	if !p.may(s) {
		return nil, "", -1
	}
	if !p.starts.known() {
		return p.re, s, -1
	}
	from := -1
	for range mostTries {
		if from = p.starts.next(s, from+1); from < 0 {
			return nil, "", -1
		}
		text := "\n" + s
		if from > 0 {
			_, n := utf8.DecodeLastRuneInString(s[:from])
			text = s[from-n:]
		}
		if re := p.here(); re.MatchString(text) {
			return re, text, from
		}
	}
	return p.re, s, -1
}

// impossible matches nothing, and says so at once.
var impossible = regexp.MustCompile(`[^\s\S]`)

// in is the expression to be run over a whole text.
func (p *pattern) in(s string) *regexp.Regexp {
	if p.may(s) {
		return p.re
	}
	return impossible
}

// The methods are those of regexp.Regexp.

func (p *pattern) MatchString(s string) bool {
	re, text, begins := p.look(s)
	return begins >= 0 || re != nil && re.MatchString(text)
}

func (p *pattern) FindStringSubmatchIndex(s string) []int {
	re, text, begins := p.look(s)
	if re == nil {
		return nil
	}
	loc := re.FindStringSubmatchIndex(text)
	for i := range loc {
		if loc[i] >= 0 {
			loc[i] += len(s) - len(text)
		}
	}
	if begins >= 0 {
		loc[0] = begins
	}
	return loc
}

func (p *pattern) FindStringIndex(s string) []int {
	if loc := p.FindStringSubmatchIndex(s); loc != nil {
		return loc[:2]
	}
	return nil
}

func (p *pattern) FindString(s string) string {
	if loc := p.FindStringSubmatchIndex(s); loc != nil {
		return s[loc[0]:loc[1]]
	}
	return ""
}

func (p *pattern) FindStringSubmatch(s string) []string {
	loc := p.FindStringSubmatchIndex(s)
	if loc == nil {
		return nil
	}
	out := make([]string, len(loc)/2)
	for i := range out {
		if loc[2*i] >= 0 {
			out[i] = s[loc[2*i]:loc[2*i+1]]
		}
	}
	return out
}

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

// wordSet are strings in small letters, of two bytes at least, that are looked for in a text by their first two pairs of bytes.
type wordSet struct {
	list     []string
	one, two pairs
}

func newWordSet(list []string) wordSet {
	w := wordSet{}
	for _, n := range list {
		if len(n) < 2 {
			return wordSet{}
		}
		w.one.add(n[0], n[1])
		for c := range 32 {
			if len(n) == 2 || n[2]&31 == byte(c) {
				w.two.add(n[1], byte(c))
			}
		}
	}
	w.list = list
	return w
}

func (w *wordSet) known() bool { return len(w.list) > 0 }

// next is where the first of the words begins, from a place on; -1 where none does.
func (w *wordSet) next(s string, from int) int {
	for i := from; i+1 < len(s); i++ {
		if w.one.has(s[i], s[i+1]) && (i+2 == len(s) || w.two.has(s[i+1], s[i+2])) && w.begin(s[i:]) {
			return i
		}
	}
	return -1
}

// begin tells whether a text begins with one of the words.
func (w *wordSet) begin(s string) bool {
	for _, n := range w.list {
		if len(s) >= len(n) && s[0]&31 == n[0]&31 && strings.EqualFold(s[:len(n)], n) {
			return true
		}
	}
	return false
}

// pairs are pairs of bytes, of each the last five bits: in them a small letter is its capital.
type pairs [1024 / 64]uint64

func (p *pairs) add(a, b byte)      { i := uint(a&31)<<5 | uint(b&31); p[i/64] |= 1 << (i % 64) }
func (p *pairs) has(a, b byte) bool { i := uint(a&31)<<5 | uint(b&31); return p[i/64]&(1<<(i%64)) != 0 }

// starts are strings of which every match begins with one that isn't empty, and whether one may be empty; not known where that can't be told.
func starts(re *syntax.Regexp) (set []string, empty, known bool) {
	if all := spellings(re); all != nil {
		return heads(all), slices.Contains(all, ""), true
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return starts(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		set, _, known = starts(re.Sub[0])
		return set, true, known
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			more, none, known := starts(sub)
			if !known {
				return nil, false, false
			}
			set, empty = append(set, more...), empty || none
		}
		return heads(set), empty, true
	case syntax.OpConcat:
		run := []string{""}
		for _, sub := range re.Sub {
			if shortest(run) > 2 {
				return heads(append(set, run...)), false, true
			}
			if joined := product(run, spellings(sub)); joined != nil {
				run = joined
				continue
			}
			begun, none, known := starts(sub)
			more := product(run, begun)
			if !known || more == nil { // what stands before it must do
				return append(set, run...), false, !slices.Contains(run, "")
			}
			if set = append(set, more...); !none {
				return heads(set), false, true
			}
		}
		return heads(append(set, run...)), slices.Contains(run, ""), true
	}
	return nil, false, false
}

// heads drops words that begin with another one, and the empty string.
func heads(words []string) []string {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	return without(words, strings.HasPrefix)
}

// positioned tells whether an expression asks where in a text it stands.
func positioned(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpBeginLine:
		return true
	}
	return slices.ContainsFunc(re.Sub, positioned)
}

// needsDigit tells whether every match of an expression holds a digit.
func needsDigit(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return slices.ContainsFunc(re.Rune, func(r rune) bool { return r >= '0' && r <= '9' })
	case syntax.OpCharClass:
		return len(re.Rune) > 0 && re.Rune[0] >= '0' && re.Rune[len(re.Rune)-1] <= '9'
	case syntax.OpCapture, syntax.OpPlus:
		return needsDigit(re.Sub[0])
	case syntax.OpConcat:
		return slices.ContainsFunc(re.Sub, needsDigit)
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !needsDigit(sub) })
	}
	return false
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

const mostNeeds = 256

// small writes runes in small letters. Beyond ASCII, letters have more than two forms.
func small(runes []rune) []string {
	var b strings.Builder
	for _, r := range runes {
		if r == longS || r == kelvin { // in the class of (?i)s and (?i)k; cleanText has replaced them
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

// useful drops words that hold another one, and a set with the empty string, which every text holds.
func useful(words []string) []string {
	if slices.Contains(words, "") {
		return nil
	}
	return without(words, strings.Contains)
}

// without drops the words that another one makes superfluous.
func without(words []string, has func(word, other string) bool) []string {
	var out []string
	for i, w := range words {
		held := false
		for k, v := range words {
			held = held || k != i && has(w, v) && (v != w || k < i)
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

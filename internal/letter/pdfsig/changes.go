package pdfsig

import "bytes"

// changes judges what came after a signature: nothing; or later revisions that sign, stamp, or add validation data; or anything else, which
// is a change of the document. later tells whether a person signed after it.
func (f *file) changes(v *Signature, s field, last, later bool) {
	if v.Whole || !s.ok || s.end() > len(f.b) || hasCode(v.Codes, BadRange) {
		return
	}
	old, err := open(f.b[:s.end()])
	if err != nil || !f.continues(old, s.end()) || later && s.allowsNothing(old) {
		v.worse(Invalid, ChangedAfter)
		return
	}
	c := comparison{old: old, now: f, refs: old.referrers()}
	c.security = c.securityOnly()
	seen := map[int]bool{}
	for _, r := range f.revisions[:len(f.revisions)-len(old.revisions)] {
		for num := range r.places {
			if seen[num] {
				continue
			}
			seen[num] = true
			if !c.harmless(num, last) {
				v.worse(Invalid, ChangedAfter)
				return
			}
		}
	}
}

// continues: the file is the signed one and revisions behind it, all of one document. The signed revision is read by itself, since a
// later one may point past it to an older draft.
func (f *file) continues(old *file, end int) bool {
	newer := len(f.revisions) - len(old.revisions)
	if newer < 1 {
		return false // bytes follow that no cross-reference explains
	}
	for i, r := range f.revisions {
		if i < newer && r.at < end || i >= newer && r.at != old.revisions[i-newer].at {
			return false
		}
	}
	a, b := old.revisions[0].trailer, f.revisions[0].trailer
	_, isRef := a["Root"].(ref)
	return isRef && same(a["Root"], b["Root"]) && same(a["Encrypt"], b["Encrypt"])
}

// allowsNothing: this is a certification whose author allows no later signature (DocMDP with P 1, ISO 32000-1 section 12.8.2.2).
func (s field) allowsNothing(f *file) bool {
	list, _ := f.get(s.dict["Reference"]).(array)
	for _, v := range list {
		d, _ := f.get(v).(dict)
		parms, _ := f.get(d["TransformParams"]).(dict)
		if p, ok := integer(f.get(parms["P"])); ok && p == 1 && d["TransformMethod"] == name("DocMDP") {
			return true
		}
	}
	return false
}

func hasCode(list []Code, c Code) bool {
	for _, x := range list {
		if x == c {
			return true
		}
	}
	return false
}

// comparison holds a signed revision against the file as it is now.
type comparison struct {
	old, now *file
	refs     map[int]map[int]bool // objects of the signed revision: which others lead to each
	security map[int]bool         // objects that the document security store alone leads to
}

// referrers tells for each object which others lead to it; the catalog's security store is left out.
func (f *file) referrers() map[int]map[int]bool {
	out := map[int]map[int]bool{}
	root, _ := f.revisions[0].trailer["Root"].(ref)
	for _, r := range f.revisions {
		for num := range r.places {
			for k, v := range entries(f.get(ref{num, 0})) {
				if num == root.num && k == "DSS" {
					continue
				}
				visitRefs(v, func(to int) {
					if out[to] == nil {
						out[to] = map[int]bool{}
					}
					out[to][num] = true
				})
			}
		}
	}
	return out
}

// entries are those of a dictionary or stream; anything else is one entry.
func entries(v any) dict {
	switch x := v.(type) {
	case dict:
		return x
	case *stream:
		return x.dict
	}
	return dict{"": v}
}

func visitRefs(v any, found func(int)) {
	switch x := v.(type) {
	case ref:
		found(x.num)
	case array:
		for _, e := range x {
			visitRefs(e, found)
		}
	case dict, *stream:
		for _, e := range entries(x) {
			visitRefs(e, found)
		}
	}
}

// securityOnly finds the objects of the security store that nothing else of the signed revision uses: later revisions may write them anew
// (ETSI EN 319 142-1 section 5.4.2), and no page shows them.
func (c comparison) securityOnly() map[int]bool {
	root, _ := c.old.get(c.old.revisions[0].trailer["Root"]).(dict)
	out := map[int]bool{}
	var reach func(num int)
	reach = func(num int) {
		if !out[num] && len(out) < maxObjects {
			out[num] = true
			visitRefs(c.old.get(ref{num, 0}), reach)
		}
	}
	visitRefs(root["DSS"], reach)
	for removed := true; removed; {
		removed = false
		for num := range out {
			for by := range c.refs[num] {
				if !out[by] {
					delete(out, num)
					removed = true
					break
				}
			}
		}
	}
	return out
}

// harmless: later revisions changed this object in a way that signing does, or, after the last signature, that adding validation data does.
func (c comparison) harmless(num int, last bool) bool {
	_, existed := c.old.lookup(num, 0)
	if !existed && len(c.refs[num]) == 0 || c.security[num] {
		return true // nothing that was signed leads to it
	}
	old, now := c.old.get(ref{num, 0}), c.now.get(ref{num, 0})
	if existed && same(old, now) || c.metadata(old, now) {
		return true
	}
	root, _ := c.old.revisions[0].trailer["Root"].(ref)
	o, ok1 := old.(dict)
	n, ok2 := now.(dict)
	switch {
	case last:
		return num == root.num && onlyKeys(old, now, "DSS", "Extensions")
	case !ok1 || !ok2:
		a, ok1 := old.(array)
		b, ok2 := now.(array)
		return ok1 && ok2 && c.onlyNewSignatures(a, b)
	case num == root.num:
		return onlyKeys(old, now, "DSS", "Extensions", "AcroForm", "Perms", "Version", "Metadata") && c.formGrows(o["AcroForm"], n["AcroForm"])
	case o["Type"] == name("Page"):
		return onlyKeys(old, now, "Annots") && c.onlyNewSignatures(o["Annots"], n["Annots"])
	case o["Fields"] != nil:
		return c.formGrows(o, n)
	case o["FT"] == name("Sig") && o["V"] == nil:
		return onlyKeys(old, now, "V", "AP", "M", "F", "Lock", "SV", "MK") && c.showsItsOwnSignature(n)
	}
	return false
}

// metadata: dates and producer change with each save, and each cross-reference stream is a new one.
func (c comparison) metadata(old, now any) bool {
	if s, ok := now.(*stream); ok {
		o, was := old.(*stream)
		return was && s.dict["Type"] == o.dict["Type"] && (s.dict["Type"] == name("Metadata") || s.dict["Type"] == name("XRef"))
	}
	return onlyKeys(old, now, "ModDate", "Producer")
}

// formGrows: the form has the old fields still, and new ones that are signatures.
func (c comparison) formGrows(old, now any) bool {
	o, ok1 := c.old.get(old).(dict)
	n, ok2 := c.now.get(now).(dict)
	return ok1 && ok2 && onlyKeys(o, n, "Fields", "SigFlags") && c.onlyNewSignatures(o["Fields"], n["Fields"])
}

// onlyNewSignatures: the old entries of a list of fields or annotations are still there, and the new ones are signature fields or their
// widgets. What a new widget shows covers the page, so it must be the appearance of a signature that is judged by itself.
func (c comparison) onlyNewSignatures(old, now any) bool {
	o, _ := c.old.get(old).(array)
	n, _ := c.now.get(now).(array)
	if len(n) < len(o) {
		return false
	}
	for i := range o {
		if !same(o[i], n[i]) {
			return false
		}
	}
	for _, v := range n[len(o):] {
		d, ok := c.now.get(v).(dict)
		if !ok {
			return false
		}
		parent, _ := c.now.get(d["Parent"]).(dict)
		kind, value := d["FT"], d["V"]
		if kind == nil {
			kind = parent["FT"]
		}
		if value == nil {
			value = parent["V"]
		}
		if kind != name("Sig") || d["Subtype"] != nil && d["Subtype"] != name("Widget") {
			return false
		}
		if visible(d, c.now) && !c.newSignature(value) {
			return false
		}
	}
	return true
}

func (c comparison) showsItsOwnSignature(d dict) bool {
	return !visible(d, c.now) || c.newSignature(d["V"])
}

// newSignature: a person's signature that the signed revision didn't hold. A document timestamp has nothing to show.
func (c comparison) newSignature(value any) bool {
	r, ok := value.(ref)
	d, isDict := c.now.get(value).(dict)
	_, existed := c.old.lookup(r.num, 0)
	return isDict && d["SubFilter"] != name("ETSI.RFC3161") && (!ok || !existed)
}

// visible: a widget with an appearance and an area.
func visible(d dict, f *file) bool {
	rect, _ := f.get(d["Rect"]).(array)
	if d["AP"] == nil || len(rect) != 4 {
		return false
	}
	var at [4]float64
	for i, v := range rect {
		at[i], _ = f.get(v).(float64)
	}
	return at[0] != at[2] && at[1] != at[3]
}

// onlyKeys: two dictionaries differ in the named keys at most.
func onlyKeys(old, now any, keys ...name) bool {
	o, ok1 := old.(dict)
	n, ok2 := now.(dict)
	if !ok1 || !ok2 {
		return false
	}
	allowed := map[name]bool{}
	for _, k := range keys {
		allowed[k] = true
	}
	for k, v := range o {
		if !allowed[k] && !same(v, n[k]) {
			return false
		}
	}
	for k := range n {
		if _, had := o[k]; !had && !allowed[k] {
			return false
		}
	}
	return true
}

// same compares values; where a string stood in the file doesn't matter.
func same(a, b any) bool {
	switch x := a.(type) {
	case hexAt:
		y, ok := b.(hexAt)
		return ok && bytes.Equal(x.data, y.data)
	case text:
		y, ok := b.(text)
		return ok && bytes.Equal(x, y)
	case array:
		y, ok := b.(array)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	case dict:
		y, ok := b.(dict)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if !same(x[k], y[k]) {
				return false
			}
		}
		return true
	case *stream:
		y, ok := b.(*stream)
		return ok && same(x.dict, y.dict) && bytes.Equal(x.data, y.data)
	}
	return a == b
}

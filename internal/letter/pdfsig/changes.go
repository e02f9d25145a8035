package pdfsig

import "bytes"

// changes judges what came after a signature: nothing; or later revisions that sign, stamp, or add validation data; or anything else, which
// is a change of the document.
func (f *file) changes(v *Signature, s field, last bool) {
	if v.Whole || !s.ok || s.end() > len(f.b) || hasCode(v.Codes, BadRange) {
		return
	}
	if len(f.revisions) == 0 {
		v.worse(Invalid, ChangedAfter)
		return
	}
	newer := 0
	for newer < len(f.revisions) && f.revisions[newer].at >= s.end() {
		newer++
	}
	if newer == 0 || newer == len(f.revisions) {
		v.worse(Invalid, ChangedAfter) // bytes follow that no cross-reference explains, or the signed revision isn't in the chain
		return
	}
	root, _ := f.revisions[0].trailer["Root"].(ref)
	oldRoot, _ := f.revisions[newer].trailer["Root"].(ref)
	if root != oldRoot {
		v.worse(Invalid, ChangedAfter)
		return
	}
	if last && !f.addsOnlyValidation(newer, root) {
		v.worse(Invalid, ChangedAfter)
		return
	}
	seen := map[int]bool{}
	for i := range newer {
		for num := range f.revisions[i].places {
			if seen[num] {
				continue
			}
			seen[num] = true
			if !f.harmless(num, newer, root) {
				v.worse(Invalid, ChangedAfter)
				return
			}
		}
	}
}

func hasCode(list []Code, c Code) bool {
	for _, x := range list {
		if x == c {
			return true
		}
	}
	return false
}

// addsOnlyValidation: after the last signature, only the document security store may have been added (PAdES B-LT).
func (f *file) addsOnlyValidation(newer int, root ref) bool {
	for i := range newer {
		for num := range f.revisions[i].places {
			if _, existed := f.lookup(num, newer); !existed {
				continue // new objects matter only if an old one leads to them
			}
			old, now := f.get(ref{num, 0}, newer), f.get(ref{num, 0}, 0)
			if same(old, now) {
				continue
			}
			if num != root.num || !onlyKeys(old, now, "DSS", "Extensions") {
				if !f.isMetadata(old, now) {
					return false
				}
			}
		}
	}
	return true
}

// harmless: a revision changed this object in a way that signing does.
func (f *file) harmless(num, newer int, root ref) bool {
	if _, existed := f.lookup(num, newer); !existed {
		return true
	}
	old, now := f.get(ref{num, 0}, newer), f.get(ref{num, 0}, 0)
	if same(old, now) || f.isMetadata(old, now) {
		return true
	}
	o, ok1 := old.(dict)
	n, ok2 := now.(dict)
	if !ok1 || !ok2 {
		return f.isFieldList(old, now, newer)
	}
	switch {
	case num == root.num:
		return onlyKeys(old, now, "DSS", "Extensions", "AcroForm", "Perms", "Version", "Metadata") && f.formGrows(o["AcroForm"], n["AcroForm"], newer)
	case o["Type"] == name("Page"):
		return onlyKeys(old, now, "Annots") && f.onlySignatureAnnots(o["Annots"], n["Annots"], newer)
	case o["Fields"] != nil:
		return f.formGrows(o, n, newer)
	case o["FT"] == name("Sig") && o["V"] == nil:
		return onlyKeys(old, now, "V", "AP", "M", "F", "Lock", "SV", "MK")
	}
	return false
}

// isMetadata: dates and producer change with each save.
func (f *file) isMetadata(old, now any) bool {
	if s, ok := now.(*stream); ok {
		o, was := old.(*stream)
		return s.dict["Type"] == name("Metadata") && was && o.dict["Type"] == name("Metadata") ||
			s.dict["Type"] == name("XRef") || s.dict["Type"] == name("ObjStm")
	}
	d, ok := now.(dict)
	return ok && onlyKeys(old, now, "ModDate", "Producer") && (d["ModDate"] != nil || d["Producer"] != nil)
}

// formGrows: the form has the old fields still, and new ones that are signatures.
func (f *file) formGrows(old, now any, newer int) bool {
	if same(old, now) {
		if r, ok := now.(ref); !ok || same(f.get(r, newer), f.get(r, 0)) {
			return true
		}
	}
	n, _ := f.get(now, 0).(dict)
	if old == nil {
		return f.allSignatures(nil, n["Fields"], newer)
	}
	o, _ := f.get(old, newer).(dict)
	return onlyKeys(o, n, "Fields", "SigFlags", "DR", "DA", "NeedAppearances") && f.allSignatures(o["Fields"], n["Fields"], newer)
}

func (f *file) isFieldList(old, now any, newer int) bool {
	o, ok1 := old.(array)
	n, ok2 := now.(array)
	return ok1 && ok2 && (f.onlySignatureAnnots(o, n, newer))
}

// allSignatures: every field that is new is a signature field.
func (f *file) allSignatures(old, now any, newer int) bool {
	return f.onlySignatureAnnots(old, now, newer)
}

// onlySignatureAnnots: the old entries are still there, and the new ones are signature fields or their widgets.
func (f *file) onlySignatureAnnots(old, now any, newer int) bool {
	o, _ := f.get(old, newer).(array)
	n, _ := f.get(now, 0).(array)
	if len(n) < len(o) {
		return false
	}
	for i := range o {
		if !same(o[i], n[i]) {
			return false
		}
	}
	for _, v := range n[len(o):] {
		d, ok := f.get(v, 0).(dict)
		if !ok {
			return false
		}
		kind := d["FT"]
		if parent, ok := f.get(d["Parent"], 0).(dict); kind == nil && ok {
			kind = parent["FT"]
		}
		if kind != name("Sig") {
			return false
		}
	}
	return true
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
